//! Private temporary directories.

use std::fs::{self, DirBuilder};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where Linux keeps files in memory. Sentinels and nodes of a Cluster wait for the disk with each
/// change of theirs; on a machine that is busy compiling that takes seconds, and they take each other
/// for dead.
const IN_MEMORY: &str = "/dev/shm";

/// A directory of its own, readable by this user only, removed when dropped.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn create() -> io::Result<Self> {
        // Short, because the path of a Unix socket in it has to fit into 104 bytes.
        let name = format!("rucache-{:016x}", RandomState::new().hash_one(()));
        let create = |parent: &Path| {
            let path = parent.join(&name);
            DirBuilder::new().mode(0o700).create(&path).map(|()| Self(path))
        };
        create(Path::new(IN_MEMORY)).or_else(|_| create(&std::env::temp_dir()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes the file `name`; where it is.
    pub(crate) fn write(&self, name: &str, content: &str) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        fs::write(&path, content)?;
        Ok(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Whoever removed it first has done what was to be done.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directory_goes_with_its_content() {
        let directory = Directory::create().unwrap();
        let path = directory.path().to_owned();
        let file = directory.write("redis.conf", "port 0\n").unwrap();
        assert_eq!(fs::read_to_string(file).unwrap(), "port 0\n");
        drop(directory);
        assert!(!path.exists());
    }
}
