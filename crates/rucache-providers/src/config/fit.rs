//! Deadlines that leave the last of several sources its time.

use std::time::Duration;

use super::SourceConfig;

/// Shortens the deadlines of `configs`, sources that are asked one after the other, in proportion
/// until all of them together end `within` that time. What fits stays as it is.
///
/// A load that ends before its last source was asked would never learn what that one knows.
pub fn fit_deadlines(configs: &mut [SourceConfig], within: Duration) {
    let whole: Duration = configs.iter().map(|config| config.deadline).sum();
    if whole <= within {
        return;
    }
    let share = within.as_secs_f64() / whole.as_secs_f64();
    for config in configs {
        config.deadline = config.deadline.mul_f64(share);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ApiKind;

    fn fitted(deadlines: &[u64], within: u64) -> Vec<u128> {
        let config = |seconds: &u64| {
            let mut config = SourceConfig::new(ApiKind::Migo);
            config.deadline = Duration::from_secs(*seconds);
            config
        };
        let mut configs: Vec<SourceConfig> = deadlines.iter().map(config).collect();
        fit_deadlines(&mut configs, Duration::from_secs(within));
        configs.iter().map(|config| config.deadline.as_millis()).collect()
    }

    #[test]
    fn deadlines_that_fit_stay_and_others_shrink_in_proportion() {
        assert_eq!(fitted(&[2, 4], 6), [2_000, 4_000]);
        assert_eq!(fitted(&[6, 6], 6), [3_000, 3_000]);
        assert_eq!(fitted(&[3, 9], 6), [1_500, 4_500]);
        assert_eq!(fitted(&[10], 6), [6_000]);
        assert!(fitted(&[], 6).is_empty());
    }
}
