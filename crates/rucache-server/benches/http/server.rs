//! The two servers, as processes of their own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use rucache::ruc::Ruc;
use serde_json::json;

use crate::bare;

/// Numbers that are looked up.
pub(crate) const RECORDS: u64 = 1_000;

/// How long the name of a taxpayer is, so that a record has about 500 bytes.
const NAME_LEN: usize = 60;

/// A server, killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// The service as it is built for its users, with settings of nobody.
    pub(crate) fn rucache() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rucache"));
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        for (name, _) in std::env::vars() {
            if name.starts_with("RUCACHE_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        Self::start(command)
    }

    /// The bare handler, with a body of `len` bytes.
    pub(crate) fn bare(len: usize) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args([bare::ARGUMENT, &len.to_string()]);
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a server that starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let address = loop {
            let line = lines.next().expect("a server that listens").expect("text");
            if let Some(address) = line.trim().strip_prefix("listening on") {
                break address.trim().trim_start_matches("http://").parse().expect("an address");
            }
        };
        // Whatever else it says, it must not wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    /// Stores the records that are looked up; how long one is.
    pub(crate) fn fill(&self) -> usize {
        for at in 0..RECORDS {
            let (ruc, record) = record(at);
            let url = format!("http://{}/v1/ruc/{ruc}?ttl=1d", self.address);
            let stored = ureq::put(url).content_type("application/json").send(record.to_string());
            assert_eq!(stored.expect("an answer").status(), 204);
        }
        let url = format!("http://{}{}", self.address, path(0));
        let mut answer = ureq::get(url).call().expect("an answer");
        answer.body_mut().read_to_vec().expect("a body").len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop((self.child.kill(), self.child.wait()));
    }
}

/// Where the record number `at` is.
pub(crate) fn path(at: u64) -> String {
    format!("/v1/ruc/{}", ruc(at))
}

fn ruc(at: u64) -> Ruc {
    Ruc::from_first_ten(2_000_000_000 + at).expect("a number")
}

fn record(at: u64) -> (Ruc, serde_json::Value) {
    let name = format!("EMPRESA {at:03} ");
    let record = json!({
        "nombre_o_razon_social": format!("{name:X<NAME_LEN$}"),
        "estado_del_contribuyente": "ACTIVO",
        "condicion_de_domicilio": "HABIDO",
        "ubigeo": "150122",
        "tipo_de_via": "AV.",
        "nombre_de_via": "JOSE LARCO",
        "codigo_de_zona": "URB.",
        "tipo_de_zona": "MIRAFLORES",
        "numero": "1301",
        "interior": "401",
        "distrito": "MIRAFLORES",
        "provincia": "LIMA",
        "departamento": "LIMA",
        "direccion": "AV. JOSE LARCO NRO. 1301 INT. 401 LIMA - LIMA - MIRAFLORES",
    });
    (ruc(at), record)
}
