//! A source without a network, for who wants to see a provider at work without a token.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rucache_core::Runtime;
use rucache_ruc::{LimaDate, Prefix, Ruc};
use serde_json::{Value, json};

use crate::api::api;
use crate::config::{ApiKind, SourceConfig};
use crate::error::ConfigError;
use crate::fault::Fault;
use crate::http::{Request, Response, Transport};
use crate::secret::Secret;
use crate::source::Source;

/// How long a call takes.
const LATENCY: Duration = Duration::from_millis(200);

/// Of so many numbers one does not exist.
const ABSENT: u64 = 10;

/// What invented companies do, what they are called, and where: region, province, district, ubigeo.
const TRADES: [&str; 8] = [
    "COMERCIAL",
    "FERRETERIA",
    "INVERSIONES",
    "TRANSPORTES",
    "DISTRIBUIDORA",
    "SERVICIOS GENERALES",
    "AGROINDUSTRIAS",
    "BOTICAS",
];
const NAMES: [&str; 9] = [
    "LOS ANDES",
    "DEL PACIFICO",
    "SANTA ROSA",
    "EL SOL",
    "VALLE SAGRADO",
    "TRES HERMANOS",
    "LA VICUNA",
    "NUEVO HORIZONTE",
    "PUERTO NORTE",
];
const FORMS: [&str; 4] = ["S.A.C.", "E.I.R.L.", "S.R.L.", "S.A."];
const PLACES: [[&str; 4]; 5] = [
    ["LIMA", "LIMA", "MIRAFLORES", "150122"],
    ["AREQUIPA", "AREQUIPA", "CAYMA", "040103"],
    ["LA LIBERTAD", "TRUJILLO", "TRUJILLO", "130101"],
    ["CUSCO", "CUSCO", "WANCHAQ", "080108"],
    ["PIURA", "PIURA", "CASTILLA", "200104"],
];

impl Source {
    /// A source named `demo` that speaks like MIGO, invents its records and asks nobody.
    ///
    /// Calls take 200 ms and count against `config.plan`; one number in ten does not exist, always
    /// the same. Everything but the network is as with a real source: gathering, limits, retries.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the setting that is wrong; token and address are not looked at.
    pub fn demo(config: &SourceConfig, runtime: Arc<dyn Runtime>) -> Result<Self, ConfigError> {
        let config = SourceConfig { name: Some("demo".to_owned()), ..config.clone() };
        let token = Secret::new("demo", "the demonstration")?;
        let transport = Box::new(Demo { runtime: runtime.clone() });
        Self::assemble(&config, api(ApiKind::Migo, token), transport, runtime, None)
    }
}

struct Demo {
    runtime: Arc<dyn Runtime>,
}

#[async_trait]
impl Transport for Demo {
    async fn send(&self, request: Request) -> Result<Response, Fault> {
        self.runtime.sleep(LATENCY).await;
        let asked = request.body.as_deref().unwrap_or_default();
        let asked: Value = serde_json::from_slice(asked).map_err(|_| Fault::Shape)?;
        let today = LimaDate::at(self.runtime.wall());
        let answer = match (&asked["ruc"], &asked["fecha"]) {
            (Value::Array(numbers), _) => Some(numbers.iter().filter_map(record).collect()),
            (number @ Value::String(_), _) => record(number),
            (_, Value::String(day)) => Some(rate(day)),
            _ if request.path.ends_with("/latest") => Some(rate(&today.to_string())),
            _ => Some(json!({ "success": true, "plan": "demo" })),
        };
        let (status, body) = match answer {
            Some(body) => (200, body),
            None => (404, json!({ "success": false, "message": "No se encontraron registros" })),
        };
        Ok(Response { status, retry_after: None, body: body.to_string().into() })
    }
}

fn record(number: &Value) -> Option<Value> {
    let ruc: Ruc = number.as_str()?.parse().ok()?;
    let serial = ruc.as_u64() / 10;
    let is_there = serial % ABSENT != ABSENT - 1;
    is_there.then(|| {
        let [region, province, district, ubigeo] = *pick(&PLACES, serial / 3);
        json!({
            "success": true,
            "ruc": ruc,
            "nombre_o_razon_social": name(ruc, serial),
            "estado_del_contribuyente": if serial % 8 == 3 { "BAJA DE OFICIO" } else { "ACTIVO" },
            "condicion_de_domicilio": if serial.is_multiple_of(6) { "NO HABIDO" } else { "HABIDO" },
            "ubigeo": ubigeo,
            "tipo_de_via": "AV.",
            "nombre_de_via": "DE LA DEMOSTRACION",
            "numero": (100 + serial % 900).to_string(),
            "distrito": district,
            "provincia": province,
            "departamento": region,
        })
    })
}

/// Nobody's name: that of a company says that it is none, and persons are not invented.
fn name(ruc: Ruc, serial: u64) -> String {
    if ruc.prefix() != Prefix::LegalEntity {
        return "DEMO - PERSONA INVENTADA".to_owned();
    }
    let (trade, name) = (pick(&TRADES, serial), pick(&NAMES, serial / 7));
    format!("DEMO - {trade} {name} {}", pick(&FORMS, serial / 5))
}

fn pick<T, const N: usize>(all: &[T; N], at: u64) -> &T {
    &all[usize::try_from(at % N as u64).unwrap_or(0)]
}

fn rate(day: &str) -> Value {
    json!({
        "success": true,
        "fecha": day,
        "moneda": "USD",
        "precio_compra": "3.740",
        "precio_venta": "3.752",
    })
}

#[cfg(test)]
mod tests {
    use rucache_core::TestRuntime;
    use rucache_ruc::{Answer, Currency, Provider, RateQuery, Reply};

    use super::*;

    /// What `work` on a demonstration brings within a second.
    fn within_a_second<T: Send + 'static, F: Future<Output = T> + Send>(
        work: impl FnOnce(Source) -> F + Send + 'static,
    ) -> T {
        let runtime = TestRuntime::new(1);
        let config = SourceConfig::new(ApiKind::Migo);
        let source = Source::demo(&config, Arc::new(runtime.clone())).unwrap();
        let (sender, mut receiver) = tokio::sync::oneshot::channel();
        runtime.spawn(Box::pin(async move {
            let _ = sender.send(work(source).await);
        }));
        runtime.advance(Duration::from_secs(1));
        receiver.try_recv().unwrap()
    }

    #[test]
    fn most_numbers_exist_and_one_in_ten_does_not() {
        let rucs: Vec<Ruc> =
            (0..100).map(|index| Ruc::from_first_ten(2_000_000_000 + index).unwrap()).collect();
        let asked = rucs.clone();
        let answers = within_a_second(|source| async move {
            let mut answers = source.lookup_many(&asked[..90]).await;
            answers.extend(source.lookup_many(&asked[90..]).await);
            answers
        });
        let found = |(answer, ruc): &(&Answer, &Ruc)| matches!(answer, Answer::Found { record, .. } if record.ruc() == **ruc);
        assert_eq!(answers.iter().zip(&rucs).filter(found).count(), 90);
        let absent = answers.iter().filter(|answer| **answer == Answer::NotFound).count();
        assert_eq!(absent, 10);
    }

    #[test]
    fn every_record_says_that_it_is_invented() {
        let company = record(&json!("20131312955")).unwrap();
        assert_eq!(company["nombre_o_razon_social"], "DEMO - BOTICAS LOS ANDES S.A.");
        let person = Ruc::from_first_ten(1_000_000_001).unwrap();
        let person = record(&json!(person)).unwrap();
        assert_eq!(person["nombre_o_razon_social"], "DEMO - PERSONA INVENTADA");
    }

    #[test]
    fn rate_of_the_day_in_lima_is_there() {
        let query = RateQuery { currency: Currency::Usd, day: None };
        let reply = within_a_second(move |source| async move { source.exchange_rate(query).await });
        let Reply::Found(rate) = reply else { panic!("{reply:?}") };
        assert_eq!((rate.day.to_string(), rate.buy.units()), ("2026-01-28".to_owned(), 3_740));
    }
}
