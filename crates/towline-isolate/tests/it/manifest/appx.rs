//! Checks 1, 2 and 4: manifests of Windows, in all their shapes.

use towline_isolate::Capability::{
    EnterpriseAuthentication, InternetClient, InternetClientServer, PrivateNetworkClientServer,
    Proximity, SharedUserCertificates,
};
use towline_isolate::{Capabilities, Class, Manifest, Shape};

use super::{file, parse, refusal, warnings};

fn manifest(name: &str) -> Manifest {
    Manifest::parse(name, &file(name)).unwrap()
}

#[test]
fn all_shapes_say_the_same() {
    let twin = manifest("twin.toml");
    let all = [InternetClientServer, PrivateNetworkClientServer, Proximity];
    assert_eq!(twin.capabilities(), Capabilities::from_iter(all));
    for (name, prefix) in [
        ("win80.appxmanifest", None),
        ("win81.appxmanifest", None),
        ("phone81.appxmanifest", None),
        ("win10.appxmanifest", None),
        ("odd-prefixes.appxmanifest", Some("z")),
    ] {
        let manifest = manifest(name);
        assert_eq!(manifest.app(), twin.app(), "{name}");
        assert_eq!(manifest.family_name(), twin.family_name(), "{name}");
        assert_eq!(manifest.capabilities(), twin.capabilities(), "{name}");
        assert_eq!(manifest.shape(), &Shape::Appx(prefix.map(str::to_owned)), "{name}");
        assert_eq!(warnings(&manifest), [""; 0], "{name}");
    }
}

#[test]
fn a_mark_of_the_byte_order_and_utf_16_do_not_matter() {
    let text = String::from_utf8(file("win10.appxmanifest")).unwrap();
    let plain = parse(&text).unwrap();
    let with_mark = format!("\u{feff}{text}");
    let utf16 =
        |unit: fn(u16) -> [u8; 2]| with_mark.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    for bytes in [with_mark.clone().into_bytes(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)]
    {
        assert_eq!(Manifest::parse("m", &bytes).unwrap(), plain);
    }
    let odd = Manifest::parse("m", &utf16(u16::to_le_bytes)[..101]).unwrap_err();
    assert_eq!(odd.to_string(), "m:1:1: it is garbled UTF-16");
}

#[test]
fn the_family_name_is_that_of_windows() {
    let manifest = manifest("client-only.appxmanifest");
    assert_eq!(manifest.family_name(), Some("Contoso.Reader_8wekyb3d8bbwe"));
    let all = [InternetClient, EnterpriseAuthentication, SharedUserCertificates];
    assert_eq!(manifest.capabilities(), Capabilities::from_iter(all));
}

#[test]
fn without_capabilities_nothing_is_granted() {
    for name in ["nothing.appxmanifest", "empty-capabilities.appxmanifest"] {
        let capabilities = manifest(name).capabilities();
        assert_eq!(capabilities, Capabilities::NONE);
        for class in Class::ALL {
            assert!(!capabilities.connect(class) && !capabilities.accept(class), "{class}");
        }
    }
}

#[test]
fn what_is_redundant_twice_or_unknown_is_told() {
    let manifest = manifest("redundant.appxmanifest");
    assert_eq!(
        warnings(&manifest),
        [
            "line 4, column 5: internetClient says nothing beside internetClientServer, which implies it: \
         remove it",
            "line 6, column 5: internetClientServer is declared before: remove one",
            "line 7, column 5: \"internetClientt\" is no capability of the network, so it grants nothing; \
         did you mean \"internetClient\"?",
        ]
    );
    assert_eq!(manifest.capabilities(), Capabilities::from_iter([InternetClientServer]));
}

#[test]
fn what_cannot_be_a_manifest_is_refused_with_its_place() {
    let package = |inner: &str| {
        format!(
            "<Package xmlns=\"http://schemas.microsoft.com/appx/2010/manifest\" xmlns:x=\"urn:x\">\n\
             <Identity Name=\"Contoso.Chat\" Publisher=\"CN=C\"/>\n{inner}\n</Package>"
        )
    };
    let cases = [
        (
            "<Capabilitys/>",
            "m:3:1: there is no <Capabilitys> in a <Package>; did you mean \"Capabilities\"?",
        ),
        (
            "<Capabilities><Capabilty Name=\"internetClient\"/></Capabilities>",
            "m:3:15: there is no <Capabilty> in <Capabilities>; did you mean \"Capability\"?",
        ),
        (
            "<Capabilities><Capability/></Capabilities>",
            "m:3:15: this capability has no name; add Name=\"internetClient\"",
        ),
        (
            "<Capabilities/><Capabilities/>",
            "m:3:16: there are two <Capabilities>; put all of them into the first",
        ),
        (
            "<x:Own/>",
            "m:3:1: there is no <Own> in a <Package>; name its prefix in IgnorableNamespaces if it is your own",
        ),
    ];
    for (inner, expected) in cases {
        assert_eq!(refusal(&package(inner)), expected);
    }
    assert!(parse(&package("")).is_ok());
    let foreign = refusal("<Package xmlns=\"urn:other\"/>");
    assert!(
        foreign.starts_with("m:1:1: <Package> in the namespace \"urn:other\" is no manifest"),
        "{foreign}"
    );
    let unnamed = refusal("<Package xmlns=\"http://schemas.microsoft.com/appx/2010/manifest\"/>");
    assert!(
        unnamed.starts_with("m:1:1: it does not say whose manifest it is; add <Identity"),
        "{unnamed}"
    );
    let broken = refusal("<Package>\n  <Identity\n</Package>");
    assert!(broken.starts_with("m:3:1: no XML: "), "{broken}");
}
