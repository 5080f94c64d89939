//! The virtual environment that an executable belongs to, and the Python that has made it.

use std::path::Path;

use super::one_version::{BUILT_FOR, minor};
use crate::data::error::{Error, Result, Status};

/// `InvalidArgument`: an environment's packages are another Python's, so a script would have none of them.
/// `field` is where the host has given the executable.
pub(super) fn check(field: &str, executable: &Path) -> Result<()> {
    let Some(version) = version_of(executable) else {
        return Ok(());
    };
    let message = format!(
        "{field} is of Python {version}, and subpy is built for Python {BUILT_FOR}: {}",
        executable.display()
    );
    Err(Error::new(Status::InvalidArgument, message))
}

/// The version that it belongs to, if that is another one than ours.
fn version_of(executable: &Path) -> Option<String> {
    if executable.components().count() < 2 {
        return None; // a name, which Python looks for
    }
    let mut folders = executable.ancestors().skip(1).take(2);
    let environment = folders.find_map(|folder| {
        let settings = std::fs::read_to_string(folder.join("pyvenv.cfg")).ok()?;
        Some((folder, settings))
    });
    let Some((folder, settings)) = environment else {
        let file = executable.canonicalize().ok()?;
        let version = file.file_name()?.to_str()?.strip_prefix("python")?;
        let is_version = minor(version) == version && version.starts_with("3.");
        return (is_version && version != BUILT_FOR).then(|| version.to_owned());
    };
    let packages = format!("lib/python{BUILT_FOR}/site-packages");
    let version = version_in(&settings)?;
    let is_ours = minor(version) == BUILT_FOR || folder.join(packages).is_dir();
    (!is_ours).then(|| version.to_owned())
}

/// `venv` writes `version`, other tools write `version_info`.
fn version_in(settings: &str) -> Option<&str> {
    settings.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        let name = name.trim();
        ["version", "version_info"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
            .then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn the_version_of_an_environment() {
        let settings = "home = /usr/bin\nversion = 3.8.18\n";
        assert_eq!(version_in(settings), Some("3.8.18"));
        assert_eq!(
            version_in("Version_Info=3.8.18.final.0"),
            Some("3.8.18.final.0")
        );
        assert_eq!(version_in("home = version\nnothing"), None);
    }
}
