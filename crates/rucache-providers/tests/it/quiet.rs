//! The token is never told, nor is a number logged.

use std::io;
use std::sync::{Arc, Mutex};

use rucache_providers::{ApiKind, Secret, Source, SourceConfig};
use rucache_ruc::{Currency, Provider, RateQuery};
use rucache_testkit::{ProviderFake, ProviderFault};
use tracing_subscriber::fmt::MakeWriter;

use super::setting::{Clock, Setting, ruc, rucs};

/// Everything that is logged.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn token_and_numbers_appear_nowhere() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(captured.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut shown = String::new();
    for api in ApiKind::ALL {
        let echo = format!(
            r#"{{"success":false,"message":"token {} of {}"}}"#,
            ProviderFake::TOKEN,
            ruc(1)
        );
        let faults = [
            None,
            Some(ProviderFault::Html),
            Some(ProviderFault::Status(403, None)),
            Some(ProviderFault::Status(429, Some(1))),
            Some(ProviderFault::Status(500, None)),
            Some(ProviderFault::Body(200, echo.clone())),
            Some(ProviderFault::Body(404, echo)),
            Some(ProviderFault::Cut),
            Some(ProviderFault::Truncated),
        ];
        for fault in faults {
            let setting = Setting::new(api);
            setting.fake.set_fault(fault);
            // Answers hold records, which are what was asked for; all else is shown to people.
            let answer = setting.source.lookup(ruc(1)).await;
            if !matches!(answer, rucache_ruc::Answer::Found { .. }) {
                shown.push_str(&format!("{answer:?}"));
            }
            setting.source.lookup_many(&rucs(3)).await;
            let query = RateQuery { currency: Currency::Usd, day: None };
            shown.push_str(&format!("{:?}", setting.source.exchange_rate(query).await));
            shown.push_str(&format!("{:?}", setting.source.account().await));
            shown.push_str(&format!("{:?} {:#?}", setting.source, setting.status()));
        }
    }
    let logged = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("source is left alone"), "the log was captured");
    for text in [&shown, &logged] {
        assert!(!text.contains(ProviderFake::TOKEN), "the token was told");
        for ruc in rucs(3) {
            assert!(!text.contains(&ruc.to_string()), "a number was told");
        }
    }
}

#[tokio::test]
async fn errors_about_settings_name_the_setting_and_never_the_token() {
    let token = ProviderFake::TOKEN;
    let file = std::env::temp_dir().join(format!("rucache-token-{}", std::process::id()));
    std::fs::write(&file, format!("{token}\nand more\n")).unwrap();
    let mut config = SourceConfig::new(ApiKind::Migo);
    config.token_file = Some(file.clone());
    let error = |config: &SourceConfig| {
        let error = Source::open(config, Clock::new(), None).unwrap_err();
        let text = format!("{error} {error:?} {config:?}");
        assert!(!text.contains(token), "{text}");
        error.to_string()
    };
    assert!(error(&config).contains("visible ASCII"));
    config.token_env = Some("RUCACHE_NO_SUCH_TOKEN".to_owned());
    assert!(error(&config).contains("both token_env and token_file"));
    config.token_file = None;
    assert_eq!(
        error(&config),
        "no token: set environment variable RUCACHE_NO_SUCH_TOKEN, or name a file with token_file"
    );
    std::fs::write(&file, token).unwrap();
    (config.token_env, config.token_file) = (None, Some(file.clone()));
    config.base_url = Some(format!("https://user:{token}@api.migo.pe"));
    let message = Source::open(&config, Clock::new(), None).unwrap_err().to_string();
    assert!(message.contains("base_url of source migo") && !message.contains(token));
    config.base_url = None;
    config.name = Some("Not A Name".to_owned());
    assert!(error(&config).contains("is no name for a source"));
    std::fs::remove_file(&file).unwrap();
    assert!(error(&config).contains("cannot read the token from file"));
    let secret = Secret::new(token, "test").unwrap();
    assert!(!format!("{secret:?}").contains(token));
}
