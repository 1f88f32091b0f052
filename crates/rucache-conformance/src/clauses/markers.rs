//! Markers of services and tags, and of everything.

use rucache_core::{Companions, Marker, MarkerVersion};

use crate::Env;
use crate::clause::clauses;
use crate::failure::{holds, same};

clauses! {
    /// A marker that is missing is created as the seed, once.
    fn missing_marker_is_seeded_once(env) {
        let (marker, near) = (service(env), env.key("near")?);
        let seed = env.seed();
        same("first", env.marker_or(&marker, &near, seed)?, seed)?;
        let later = MarkerVersion::from_raw(seed.as_raw() + 1_000);
        same("then", env.marker_or(&marker, &near, later)?, seed)
    }

    /// A bump of a missing marker creates it as the seed.
    fn bump_of_a_missing_marker_seeds_it(env) {
        let (marker, near) = (service(env), env.key("near")?);
        let seed = env.seed();
        env.bump_or(&marker, seed)?;
        same("marker", env.marker(&marker, &near)?, seed)
    }

    /// A bump makes a marker grow, whatever it stands for and wherever it is read.
    fn bump_makes_a_marker_grow(env) {
        let near = [env.key("near")?, env.key("ruc_20131312955")?, env.key("x")?];
        let tag = Marker::Tag(env.key("lima")?);
        for marker in [service(env), Marker::TagEpoch(env.service().clone()), tag] {
            for _ in 0..3 {
                let before = near.each_ref().map(|near| env.marker(&marker, near));
                env.bump(&marker)?;
                for (before, near) in before.into_iter().zip(&near) {
                    holds("the marker has grown", env.marker(&marker, near)? > before?)?;
                }
            }
        }
        Ok(())
    }

    /// A bump of the root makes it grow for every key.
    fn bump_of_the_root_reaches_every_key(env) {
        for near in [env.key("near")?, env.key("ruc_20131312955")?, env.sibling_key("near")?] {
            let before = env.marker(&Marker::Root, &near)?;
            env.bump(&Marker::Root)?;
            holds("the root has grown", env.marker(&Marker::Root, &near)? > before)?;
        }
        Ok(())
    }

    /// A read brings the root and service markers as they stand, also with a missing entry.
    fn companions_are_the_markers(env) {
        let (present, missing) = (env.key("present")?, env.key("missing")?);
        env.set(&present, "one")?;
        for key in [&present, &missing] {
            for _ in 0..2 {
                env.bump(&service(env))?;
                let wanted = env.marker(&service(env), key)?;
                // The root is everybody's: others may bump it meanwhile.
                let before = env.marker(&Marker::Root, key)?;
                let fetched = env.fetch(key, Companions::Markers)?;
                let after = env.marker(&Marker::Root, key)?;
                same("service", fetched.service, Some(wanted))?;
                let within = |root| before <= root && root <= after;
                holds("the root is as it stands", fetched.root.is_some_and(within))?;
            }
        }
        let value = env.fetch(&present, Companions::Markers)?.entry.map(|stored| stored.value);
        same("value", value, Some("one".into()))
    }

    /// A service marker that was never created does not come with a read, nor is it created by it.
    fn missing_marker_is_no_companion(env) {
        let key = env.key("near")?;
        same("service", env.fetch(&key, Companions::Markers)?.service, None)?;
        same("service", env.fetch(&key, Companions::Markers)?.service, None)
    }

    /// Markers come with a read only where they are asked for.
    fn companions_come_when_asked_for(env) {
        let key = env.key("near")?;
        env.bump(&service(env))?;
        let fetched = env.fetch(&key, Companions::None)?;
        same("root and service", (fetched.root, fetched.service), (None, None))
    }

    /// A bump of a service leaves the service whose name begins alike as it is.
    fn sibling_service_is_left_alone(env) {
        let (near, marker) = (env.sibling_key("near")?, Marker::Service(env.sibling_service()?));
        let before = env.marker(&marker, &near)?;
        env.marker(&service(env), &near)?;
        env.bump(&service(env))?;
        same("the sibling's marker", env.marker(&marker, &near)?, before)
    }

    /// A service, its tag epoch, a tag and an entry of the same name are four things.
    fn markers_of_one_service_do_not_meet(env) {
        let key = env.key("lima")?;
        let epoch = Marker::TagEpoch(env.service().clone());
        let markers = [service(env), epoch, Marker::Tag(key.clone())];
        env.set(&key, "one")?;
        for bumped in &markers {
            let before = markers.each_ref().map(|marker| env.marker(marker, &key));
            env.bump(bumped)?;
            for (marker, before) in markers.iter().zip(before) {
                let grown = env.marker(marker, &key)? != before?;
                same(&format!("{marker:?} after a bump of {bumped:?}"), grown, marker == bumped)?;
            }
        }
        same("value", env.value(&key)?, Some("one".into()))
    }
}

fn service(env: &Env) -> Marker {
    Marker::Service(env.service().clone())
}
