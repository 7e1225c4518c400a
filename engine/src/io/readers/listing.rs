//! Which files a view is of: its paths and patterns, and what the options leave out.

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use paceline_functions::records;

use super::glob::{alternatives, is_pattern, matches};
use super::options::Options;
use crate::EngineError;
use crate::io::stores::{Place, Stores};

/// Files, and where the folders begin that may be partitions.
#[derive(Debug)]
pub(super) struct Listing {
    /// The first path, without what is a pattern.
    pub place: Place,
    pub files: Vec<ObjectMeta>,
    /// For each file.
    pub bases: Vec<Path>,
    /// Whether folders are looked at for partitions.
    pub has_partitions: bool,
}

/// What the options leave out.
struct Filter<'a> {
    names: Option<Vec<String>>,
    after: Option<i64>,
    before: Option<i64>,
    keeps_empty: bool,
    options: Options<'a>,
}

impl Listing {
    /// The files that the options name, without hidden ones (`_…` and `.…`, as Spark has it) and, unless they are kept, empty
    /// ones.
    pub async fn of(stores: &Stores, options: Options<'_>, keeps_empty: bool) -> Result<Listing, EngineError> {
        for key in ["ignoreCorruptFiles", "ignoreMissingFiles"] {
            options.refuse_true(key)?;
        }
        let recursive = options.flag("recursiveFileLookup", false)?;
        let filter = Filter::of(options, keeps_empty)?;
        let base = options.get("basePath").map(|base| stores.place(base)).transpose()?;
        let mut found: Vec<(Path, ObjectMeta)> = Vec::new();
        let mut first: Option<Place> = None;
        for path in paths(&options)? {
            let place = match is_pattern(&path) {
                true => by_pattern(stores, &path, &mut found).await?,
                false => {
                    let place = stores.place(&path)?;
                    let files = files_at(&place).await?;
                    found.extend(files.into_iter().map(|file| (place.path.clone(), file)));
                    place
                }
            };
            let first = first.get_or_insert_with(|| place.clone());
            if (first.url.scheme(), first.url.host_str()) != (place.url.scheme(), place.url.host_str()) {
                let why = format!("'{}' and '{}' are in different stores", first.url, place.url);
                return Err(EngineError::Setting(format!("cannot read them together: {why}")));
            }
        }
        let Some(place) = first else {
            return Err(EngineError::Setting(format!("the {} option 'path' is missing", options.format)));
        };
        found.retain(|(root, file)| filter.takes(root, file));
        found.sort_by(|(_, one), (_, other)| one.location.cmp(&other.location));
        found.dedup_by(|(_, one), (_, other)| one.location == other.location);
        if let Some(base) = base {
            found.iter_mut().for_each(|(root, _)| *root = base.path.clone());
        } else if !recursive && !found.iter().any(|(root, file)| is_below_a_partition(root, &file.location)) {
            let deeper = found.len();
            found.retain(|(root, file)| below(root, &file.location).len() <= 1);
            if found.is_empty() && deeper > 0 {
                let url = &place.url;
                let why = "its folders have some: set recursiveFileLookup to true to read them";
                return Err(EngineError::Setting(format!("there is no file at '{url}' itself; {why}")));
            }
        }
        if found.is_empty() {
            return Err(no_file(&place));
        }
        let (bases, files) = found.into_iter().unzip();
        Ok(Listing { place, files, bases, has_partitions: !recursive })
    }
}

impl<'a> Filter<'a> {
    fn of(options: Options<'a>, keeps_empty: bool) -> Result<Self, EngineError> {
        let zone = options.get("timeZone").unwrap_or("UTC");
        let time = |key: &str| match options.get(key) {
            None => Ok(None),
            Some(text) => match records::instant(text, zone).filter(|_| text.len() == 19 && text.contains('T')) {
                Some(micros) => Ok(Some(micros.div_euclid(1000))),
                None => Err(options.wrong(key, text, "a time such as 2026-01-02T03:04:05")),
            },
        };
        Ok(Filter {
            names: options.get("pathGlobFilter").map(alternatives),
            after: time("modifiedAfter")?,
            before: time("modifiedBefore")?,
            keeps_empty,
            options,
        })
    }

    fn takes(&self, root: &Path, file: &ObjectMeta) -> bool {
        let modified = file.last_modified.timestamp_millis();
        let name = file.location.filename().unwrap_or_default();
        (self.keeps_empty || file.size > 0 || self.options.format == "binaryFile")
            && !is_hidden(root, &file.location)
            && self.names.as_ref().is_none_or(|names| names.iter().any(|pattern| matches(pattern, name)))
            && self.after.is_none_or(|after| modified > after)
            && self.before.is_none_or(|before| modified < before)
    }
}

/// `path`, and `paths` as a JSON array.
fn paths(options: &Options<'_>) -> Result<Vec<String>, EngineError> {
    let mut paths: Vec<String> = options.get("path").map(str::to_owned).into_iter().collect();
    if let Some(text) = options.get("paths") {
        let more: Vec<String> = serde_json::from_str(text)
            .map_err(|_| options.wrong("paths", text, "a JSON array, as in [\"one\", \"two\"]"))?;
        paths.extend(more);
    }
    Ok(paths)
}

/// Adds the files that a pattern is of, each with the file or folder that the whole pattern stands for; returns the folder
/// in which the pattern begins.
async fn by_pattern(stores: &Stores, path: &str, found: &mut Vec<(Path, ObjectMeta)>) -> Result<Place, EngineError> {
    let mut place = None;
    let before = found.len();
    for alternative in alternatives(path) {
        let parts: Vec<&str> = alternative.split('/').collect();
        let fixed = parts.iter().position(|part| is_pattern(part)).unwrap_or(parts.len());
        let folder = parts.get(..fixed).unwrap_or_default().join("/");
        let here = stores.place(if folder.is_empty() && path.starts_with('/') { "/" } else { &folder })?;
        let patterns: Vec<&str> =
            parts.get(fixed..).unwrap_or_default().iter().copied().filter(|part| !part.is_empty()).collect();
        for file in files_at(&here).await.unwrap_or_default() {
            let names = below(&here.path, &file.location);
            let fits = names.len() >= patterns.len()
                && patterns.iter().zip(&names).all(|(pattern, name)| matches(pattern, name));
            if fits {
                let root =
                    names.iter().take(patterns.len()).fold(here.path.clone(), |root, name| root.join(name.as_str()));
                found.push((root, file));
            }
        }
        place = Some(here);
    }
    match place {
        Some(place) if found.len() > before => Ok(place),
        _ => Err(EngineError::Setting(format!("there is no file at '{path}'"))),
    }
}

/// The file, or the files below the folder.
async fn files_at(place: &Place) -> Result<Vec<ObjectMeta>, EngineError> {
    let failed = |source: object_store::Error| match place.url.host_str() {
        Some(bucket) if source.to_string().contains("NoSuchBucket") => {
            EngineError::Setting(format!("cannot read '{}': there is no bucket '{bucket}'", place.url))
        }
        _ => EngineError::Storage { action: "cannot read", url: place.url.to_string(), source },
    };
    let objects = place.store.objects();
    // Some services fail on HEAD of what is only a prefix, so the prefix is looked for first.
    let files: Vec<_> = objects.list(Some(&place.path)).try_collect().await.map_err(failed)?;
    if files.is_empty() || files.iter().any(|file| file.location == place.path) {
        return match objects.head(&place.path).await {
            Ok(file) => Ok(vec![file]),
            Err(object_store::Error::NotFound { .. }) => Err(no_file(place)),
            Err(_) if place.url.to_file_path().is_ok_and(|path| path.is_dir()) => Err(no_file(place)),
            Err(error) => Err(failed(error)),
        };
    }
    Ok(files)
}

/// Whether there is anything to read.
///
/// # Errors
/// The store cannot be read.
pub(crate) async fn has_files(place: &Place) -> Result<bool, EngineError> {
    let failed = |source| EngineError::Storage { action: "cannot read", url: place.url.to_string(), source };
    let mut files = place.store.objects().list(Some(&place.path));
    while let Some(file) = files.try_next().await.map_err(failed)? {
        if file.size > 0 && !is_hidden(&place.path, &file.location) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn no_file(place: &Place) -> EngineError {
    EngineError::Setting(format!("there is no file at '{}'", place.url))
}

/// The folders below a root, and the name of the file.
fn below(root: &Path, file: &Path) -> Vec<String> {
    file.prefix_match(root).into_iter().flatten().map(|part| part.as_ref().to_owned()).collect()
}

fn is_hidden(root: &Path, file: &Path) -> bool {
    // A folder of a partition may be called `_a=1`.
    let hides = |part: &String| part.starts_with('.') || part.starts_with('_') && !part.contains('=');
    below(root, file).iter().any(hides)
}

fn is_below_a_partition(root: &Path, file: &Path) -> bool {
    let names = below(root, file);
    let folders = names.split_last().map(|(_, folders)| folders).unwrap_or_default();
    folders.iter().any(|folder| folder.split_once('=').is_some_and(|(name, _)| !name.is_empty()))
}
