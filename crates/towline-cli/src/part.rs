//! A file that is there only when it is complete.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::fs::{File, OpenOptions, rename};
use tokio::io::{AsyncWriteExt, BufWriter};

/// A file under a name of its own until it is complete; dropped before, it is removed.
#[derive(Debug)]
pub(crate) struct Part {
    file: BufWriter<File>,
    path: Option<PathBuf>,
}

/// Bytes written at once: a write goes through another thread, and a peer may send byte by byte.
const BUFFER: usize = 64 * 1024;

/// Tries so many numbers for a name that is taken.
const MOST_NUMBERS: u32 = 100_000;

impl Part {
    pub(crate) async fn create(folder: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".towline-{}-{number}.part", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path).await {
                Ok(file) => {
                    let file = BufWriter::with_capacity(BUFFER, file);
                    return Ok(Self { file, path: Some(path) });
                }
                // Left behind by a process that had our number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    /// Gives it its name, in place of what was there.
    pub(crate) async fn replace(mut self, name: &Path) -> io::Result<()> {
        self.rename(name).await
    }

    /// Gives it a name that nobody has; an error of kind `AlreadyExists` if somebody does.
    pub(crate) async fn name(mut self, name: &Path) -> io::Result<()> {
        self.take(name).await
    }

    /// Gives it its name or, if that is taken, the same with a number: `film-2.mkv`.
    pub(crate) async fn name_or_number(mut self, folder: &Path, name: &str) -> io::Result<String> {
        for number in 1..MOST_NUMBERS {
            let name = numbered(name, number);
            match self.take(&folder.join(&name)).await {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                taken => return taken.map(|()| name),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    async fn take(&mut self, name: &Path) -> io::Result<()> {
        // A rename replaces. So the name is taken first, by a file that may be replaced: our own.
        OpenOptions::new().write(true).create_new(true).open(name).await?;
        let renamed = self.rename(name).await;
        if renamed.is_err() {
            tokio::fs::remove_file(name).await.ok();
        }
        renamed
    }

    async fn rename(&mut self, name: &Path) -> io::Result<()> {
        // What waits is written, and if the last write has failed, this is where tokio tells.
        self.file.flush().await?;
        if let Some(path) = &self.path {
            rename(path, name).await?;
            self.path = None;
        }
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            std::fs::remove_file(path).ok();
        }
    }
}

fn numbered(name: &str, number: u32) -> String {
    if number == 1 {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem}-{number}.{extension}"),
        _ => format!("{name}-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, numbered};

    #[tokio::test]
    async fn what_comes_byte_by_byte_is_written_together() {
        let folder = std::env::temp_dir();
        let mut part = Part::create(&folder).await.unwrap();
        for byte in 0..200 {
            part.write(&[byte]).await.unwrap();
        }
        let len = || std::fs::metadata(part.path.as_ref().unwrap()).unwrap().len();
        assert_eq!(len(), 0, "each write is a system call, on another thread");
        let name = folder.join(format!("towline-{}-part", std::process::id()));
        part.replace(&name).await.unwrap();
        assert_eq!(std::fs::read(&name).unwrap(), (0..200).collect::<Vec<u8>>());
        std::fs::remove_file(name).unwrap();
    }

    #[test]
    fn a_number_goes_before_the_extension() {
        assert_eq!(numbered("film.mkv", 1), "film.mkv");
        assert_eq!(numbered("film.mkv", 2), "film-2.mkv");
        assert_eq!(numbered("film", 3), "film-3");
    }
}
