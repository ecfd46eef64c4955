//! A manifest of Windows: `Package.appxmanifest` of 8.0, 8.1, Windows Phone 8.1, and 10 and later.

use roxmltree::{Document, Node, ParsingOptions};

use super::family_name::family_name;
use super::native::{capabilities, check_name};
use super::suggest::did_you_mean;
use super::{Manifest, ManifestError, Shape, Source};

type Result<T> = std::result::Result<T, ManifestError>;

/// Elements, texts and comments. The largest of Microsoft's samples has 700.
const MAX_NODES: u32 = 50_000;

/// Elements in one another. Manifests of Windows have eight at most.
const MAX_DEPTH: usize = 64;

/// The root namespaces: of 8 (8.1 has the same), and of 10.
const ROOTS: [&str; 2] = [
    "http://schemas.microsoft.com/appx/2010/manifest",
    "http://schemas.microsoft.com/appx/manifest/foundation/windows10",
];

/// All namespaces of manifests begin so.
const MICROSOFT: &str = "http://schemas.microsoft.com/appx/";

/// What a manifest may have under its root in the root's own namespace.
const SECTIONS: [&str; 9] = [
    "Identity",
    "Properties",
    "Prerequisites",
    "Resources",
    "Dependencies",
    "Capabilities",
    "Applications",
    "Extensions",
    "PhoneIdentity",
];

pub(super) fn parse(source: &Source) -> Result<Manifest> {
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&source.text, options)
        .map_err(|error| no_xml(source, &error))?;
    check_depth(source, &document)?;
    let root = document.root_element();
    let uri = root.tag_name().namespace().unwrap_or_default();
    if !ROOTS.contains(&uri) || root.tag_name().name() != "Package" {
        let what = format!(
            "<{}> in the namespace {uri:?} is no manifest of an app",
            root.tag_name().name()
        );
        let error = source.error(root.range().start, what);
        return Err(error.suggest(Some(format!("it begins with <Package xmlns=\"{}\">", ROOTS[1]))));
    }
    check_sections(source, root, uri)?;
    let mut manifest = identity(source, root, uri)?;
    manifest.shape = Shape::Appx(prefix(source, root));
    let sections: Vec<_> = children(root, uri, "Capabilities").collect();
    if let [_, second, ..] = sections[..] {
        let error = source.error(second.range().start, "there are two <Capabilities>");
        return Err(error.suggest(Some("put all of them into the first".to_owned())));
    }
    let declared = sections.into_iter().flat_map(|section| declared(source, section));
    let declared = declared.collect::<Result<Vec<_>>>()?;
    let of_network: Vec<_> = declared.into_iter().flatten().collect();
    (manifest.capabilities, manifest.warnings) = capabilities(source, &of_network);
    manifest.warnings.sort();
    Ok(manifest)
}

fn no_xml(source: &Source, error: &roxmltree::Error) -> ManifestError {
    let at = error.pos();
    let place = super::Place { line: number(at.row), column: number(at.col) };
    match error {
        roxmltree::Error::DtdDetected => {
            let byte = source.text.find("<!DOCTYPE").unwrap_or(0);
            let error = source.error(byte, "a manifest has no DTD");
            error.suggest(Some("remove <!DOCTYPE …>".to_owned()))
        }
        roxmltree::Error::NodesLimitReached => {
            let what = format!("it has more than {MAX_NODES} elements, so it is no manifest");
            ManifestError::new(&source.name, place, what)
        }
        error => ManifestError::new(&source.name, place, format!("no XML: {error}")),
    }
}

fn number(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Without a stack that grows: who nests deeply wants to exhaust one.
fn check_depth(source: &Source, document: &Document<'_>) -> Result<()> {
    let (mut node, mut depth) = (Some(document.root()), 0);
    while let Some(at) = node {
        if depth > MAX_DEPTH {
            let what = format!("more than {MAX_DEPTH} elements are nested here");
            return Err(source.error(at.range().start, what));
        }
        if let Some(child) = at.first_child() {
            (node, depth) = (Some(child), depth + 1);
            continue;
        }
        let mut next = Some(at);
        while let Some(at) = next.filter(|at| at.next_sibling().is_none()) {
            (next, depth) = (at.parent(), depth.saturating_sub(1));
        }
        node = next.and_then(|at| at.next_sibling());
    }
    Ok(())
}

/// A slip in `<Capabilities>` would take all of them away, without a word.
fn check_sections(source: &Source, root: Node<'_, '_>, uri: &str) -> Result<()> {
    let ignorable = ignorable(root);
    for section in root.children().filter(Node::is_element) {
        let (name, own) =
            (section.tag_name().name(), section.tag_name().namespace().unwrap_or_default());
        let wrong = if own == uri {
            !SECTIONS.contains(&name)
        } else {
            !own.starts_with(MICROSOFT) && !ignorable.contains(&own)
        };
        if wrong {
            let what = format!("there is no <{name}> in a <Package>");
            let hint = did_you_mean(name, SECTIONS).or_else(|| {
                Some("name its prefix in IgnorableNamespaces if it is your own".to_owned())
            });
            return Err(source.error(section.range().start, what).suggest(hint));
        }
    }
    Ok(())
}

/// The namespaces that a reader may leave alone.
fn ignorable<'a>(root: Node<'a, '_>) -> Vec<&'a str> {
    let prefixes = root.attribute("IgnorableNamespaces").unwrap_or_default();
    prefixes
        .split_whitespace()
        .filter_map(|prefix| root.lookup_namespace_uri(Some(prefix)))
        .collect()
}

fn identity(source: &Source, root: Node<'_, '_>, uri: &str) -> Result<Manifest> {
    let Some(identity) = children(root, uri, "Identity").next() else {
        let error = source.error(root.range().start, "it does not say whose manifest it is");
        let line = "<Identity Name=\"Contoso.Chat\" Publisher=\"CN=Contoso\" Version=\"1.0.0.0\"/>";
        return Err(error.suggest(Some(format!("add {line}"))));
    };
    let Some(name) = identity.attribute_node("Name") else {
        let error = source.error(identity.range().start, "the app has no name");
        return Err(error.suggest(Some("add Name=\"…\" to <Identity>".to_owned())));
    };
    check_name(source, name.range().start, name.value())?;
    let mut manifest = Manifest::new(name.value());
    let publisher = identity.attribute("Publisher");
    manifest.family_name = publisher.map(|publisher| family_name(name.value(), publisher));
    Ok(manifest)
}

/// What stands before the names of elements in the root's namespace, if anything does.
fn prefix(source: &Source, root: Node<'_, '_>) -> Option<String> {
    let tag = &source.text[root.range().start + 1..];
    let name = &tag[..tag.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?];
    name.split_once(':').map(|(prefix, _)| prefix.to_owned())
}

fn children<'a, 'i>(
    node: Node<'a, 'i>,
    uri: &str,
    name: &str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name((uri, name)))
}

/// The names that might be of capabilities of the network, and where they are. Those for devices and
/// libraries are nobody's business here.
fn declared<'a>(
    source: &Source,
    section: Node<'a, '_>,
) -> impl Iterator<Item = Result<Option<(usize, &'a str)>>> {
    let root = section.document().root_element();
    let uri = root.tag_name().namespace().unwrap_or_default();
    let ignorable = ignorable(root);
    section.children().filter(Node::is_element).map(move |element| {
        let own = element.tag_name().namespace().unwrap_or_default();
        let name = element.tag_name().name();
        let (at, of_microsoft) = (element.range().start, own.starts_with(MICROSOFT));
        match name {
            "Capability" if of_microsoft => {}
            "DeviceCapability" if of_microsoft => {
                // The one device that is a network.
                let value = element.attribute("Name").filter(|name| *name == "proximity");
                return Ok(value.map(|value| (at, value)));
            }
            "CustomCapability" if of_microsoft => return Ok(None),
            _ if own != uri && ignorable.contains(&own) => return Ok(None),
            _ => {
                let what = format!("there is no <{name}> in <Capabilities>");
                let names = ["Capability", "DeviceCapability", "CustomCapability"];
                return Err(source.error(at, what).suggest(did_you_mean(name, names)));
            }
        }
        let Some(value) = element.attribute("Name") else {
            let error = source.error(at, "this capability has no name");
            return Err(error.suggest(Some("add Name=\"internetClient\"".to_owned())));
        };
        // Restricted ones, and those for libraries, which are none of the network's.
        let of_network = crate::Capability::of_name(value).is_some();
        Ok((of_network || own == uri && !KNOWN.contains(&value)).then_some((at, value)))
    })
}

/// Capabilities in the root's namespace that have nothing to do with the network.
const KNOWN: [&str; 10] = [
    "documentsLibrary",
    "picturesLibrary",
    "videosLibrary",
    "musicLibrary",
    "removableStorage",
    "codeGeneration",
    "allJoyn",
    "backgroundMediaPlayback",
    "remoteSystem",
    "spatialPerception",
];
