//! Which lists allow what.

use expect_test::{Expect, expect};

use super::*;

fn egress(function: &str, session: &str) -> Egress {
    let list = |text: &str| (!text.is_empty()).then(|| AllowedHosts::parse(text).unwrap());
    Egress::new(list(function), list(session))
}

/// What a list says of URLs, each with the addresses that its name has, if it is one.
fn check(list: &str, urls: &[(&str, &str)], expected: Expect) {
    let said = |(url, addresses): &(&str, &str)| {
        let (egress, parsed) = (egress(list, ""), Url::parse(url).unwrap());
        let mut answers = vec![egress.check(&parsed).map_or("no", |()| "yes").to_owned()];
        for address in addresses.split_whitespace().filter(|_| answers[0] == "yes").collect::<Vec<_>>() {
            let verdict = egress.check_resolved(parsed.host_str().unwrap(), address.parse().unwrap());
            answers.push(format!("{address} {}", verdict.map_or("no", |()| "yes")));
        }
        format!("{url}: {}", answers.join(", "))
    };
    expected.assert_eq(&urls.iter().map(said).collect::<Vec<_>>().join("\n"));
}

#[test]
fn without_a_list_everything_but_metadata_link_local_and_multicast_is_allowed() {
    check(
        "",
        &[
            ("http://api.example.com/", "93.184.216.34 10.0.0.1 127.0.0.1 169.254.169.254 fe80::1 100.100.100.200"),
            ("http://127.0.0.1:8080/", ""),
            ("http://[::1]/", ""),
            ("http://10.0.0.1/", ""),
            ("http://169.254.169.254/latest/", ""),
            ("http://0xa9.0xfe.43518/", ""),
            ("http://2852039166/", ""),
            ("http://[::ffff:169.254.169.254]/", ""),
            ("http://[64:ff9b::a9fe:a9fe]/", ""),
            ("http://[::a9fe:a9fe]/", ""),
            ("http://[fd00:ec2::254]/", ""),
            ("http://[fe80::1]/", ""),
            ("http://100.100.100.200/", ""),
            ("http://metadata.google.internal/", ""),
            ("http://METADATA.google.internal./", ""),
            ("http://0.0.0.0/", ""),
            ("http://[::]/", ""),
            ("http://224.0.0.1/", ""),
            ("http://[ff02::1]/", ""),
            ("ftp://api.example.com/", ""),
        ],
        expect![[r"
            http://api.example.com/: yes, 93.184.216.34 yes, 10.0.0.1 yes, 127.0.0.1 yes, 169.254.169.254 no, fe80::1 no, 100.100.100.200 no
            http://127.0.0.1:8080/: yes
            http://[::1]/: yes
            http://10.0.0.1/: yes
            http://169.254.169.254/latest/: no
            http://0xa9.0xfe.43518/: no
            http://2852039166/: no
            http://[::ffff:169.254.169.254]/: no
            http://[64:ff9b::a9fe:a9fe]/: no
            http://[::a9fe:a9fe]/: no
            http://[fd00:ec2::254]/: no
            http://[fe80::1]/: no
            http://100.100.100.200/: no
            http://metadata.google.internal/: no
            http://METADATA.google.internal./: no
            http://0.0.0.0/: no
            http://[::]/: no
            http://224.0.0.1/: no
            http://[ff02::1]/: no
            ftp://api.example.com/: no"]],
    );
}

#[test]
fn a_name_is_allowed_with_its_addresses_and_a_suffix_not_with_internal_ones() {
    check(
        "api.internal, *.Vendor.com, https://bank.example:8443",
        &[
            ("http://api.internal/", "10.0.0.1 127.0.0.1 169.254.169.254"),
            ("http://x.api.internal/", ""),
            ("http://a.b.vendor.com:99/", "93.184.216.34 10.0.0.1 ::1 fc00::1 100.64.0.1"),
            ("http://vendor.com/", ""),
            ("http://evilvendor.com/", ""),
            ("http://vendor.com.evil.example/", ""),
            ("https://bank.example:8443/", "1.2.3.4"),
            ("http://bank.example:8443/", ""),
            ("https://bank.example/", ""),
            ("http://127.0.0.1/", ""),
        ],
        expect![[r"
            http://api.internal/: yes, 10.0.0.1 yes, 127.0.0.1 yes, 169.254.169.254 no
            http://x.api.internal/: no
            http://a.b.vendor.com:99/: yes, 93.184.216.34 yes, 10.0.0.1 no, ::1 no, fc00::1 no, 100.64.0.1 no
            http://vendor.com/: no
            http://evilvendor.com/: no
            http://vendor.com.evil.example/: no
            https://bank.example:8443/: yes, 1.2.3.4 yes
            http://bank.example:8443/: no
            https://bank.example/: no
            http://127.0.0.1/: no"]],
    );
}

#[test]
fn a_block_allows_the_addresses_in_it_whatever_the_name() {
    check(
        "http://10.0.0.0/8:8080, [fd00::/8]:443, fd11::7, 192.0.2.1, 169.254.0.0/16",
        &[
            ("http://10.1.2.3:8080/", ""),
            ("http://10.1.2.3/", ""),
            ("http://0xa.1:8080/", ""),
            ("http://[::ffff:10.1.2.3]:8080/", ""),
            ("http://11.1.2.3:8080/", ""),
            ("http://intern.example:8080/", "10.1.2.3 11.1.2.3 169.254.169.254"),
            ("https://[fd12::1]/", ""),
            ("http://[fd12::1]/", ""),
            ("http://[fd11::7]/", ""),
            ("http://192.0.2.1/", ""),
            ("http://192.0.2.2/", ""),
            ("http://169.254.169.254/", ""),
        ],
        expect![[r"
            http://10.1.2.3:8080/: yes
            http://10.1.2.3/: no
            http://0xa.1:8080/: yes
            http://[::ffff:10.1.2.3]:8080/: yes
            http://11.1.2.3:8080/: no
            http://intern.example:8080/: yes, 10.1.2.3 yes, 11.1.2.3 no, 169.254.169.254 no
            https://[fd12::1]/: yes
            http://[fd12::1]/: no
            http://[fd11::7]/: yes
            http://192.0.2.1/: yes
            http://192.0.2.2/: no
            http://169.254.169.254/: no"]],
    );
}

#[test]
fn both_lists_must_agree() {
    let egress = egress("*.example.com, api.vendor.com", "api.example.com, 10.0.0.0/8");
    let said = |url: &str| egress.check(&Url::parse(url).unwrap()).map_or_else(|no| no.to_string(), |()| "yes".into());
    assert_eq!(said("https://api.example.com/"), "yes");
    assert_eq!(said("https://api.vendor.com/"), "yes", "its address may be in the block");
    let resolved = |name: &str, address: &str| egress.check_resolved(name, address.parse().unwrap());
    assert_eq!(resolved("api.vendor.com", "10.0.0.1"), Ok(()));
    expect!["requests to 'api.vendor.com' are not allowed: its address 1.1.1.1: no entry of paceline.api.allowed_hosts fits it (https, port 443)"]
        .assert_eq(&resolved("api.vendor.com", "1.1.1.1").unwrap_err().to_string());
    expect!["requests to 'evil.example' are not allowed: no entry of allowed_hosts fits it (http, port 80)"]
        .assert_eq(&said("http://evil.example/x?token=secret"));
    expect!["requests to '169.254.1.1' are not allowed: link-local, multicast and unspecified addresses and the metadata services of clouds never are"]
        .assert_eq(&said("http://169.254.1.1/"));
}

#[test]
fn the_name_of_a_proxy_is_not_checked_and_a_name_on_two_ports_must_do_for_both() {
    let egress = egress("https://a.example, http://10.0.0.0/8:8080", "");
    assert_eq!(egress.check_resolved("proxy.example", "127.0.0.1".parse().unwrap()), Ok(()));
    egress.check(&Url::parse("https://a.example/").unwrap()).unwrap();
    assert_eq!(egress.check_resolved("a.example", "1.1.1.1".parse().unwrap()), Ok(()));
    egress.check(&Url::parse("http://a.example:8080/").unwrap()).unwrap();
    assert!(egress.check_resolved("a.example", "1.1.1.1".parse().unwrap()).is_err());
    assert!(egress.check_resolved("A.example.", "10.1.1.1".parse().unwrap()).is_ok());
}

#[test]
fn what_is_no_entry_is_refused() {
    let refused = [
        "",
        "a,,b",
        "*",
        "*.",
        "ftp://a",
        "a/b",
        "http://a/",
        "a:0",
        "a:x",
        "10.0.0.0/33",
        "fd00::/129",
        "*.1.2.3.4",
        "a*b.com",
        "user@a",
        "[fd00::",
        "a b",
        "10.0.0.0/-1",
    ];
    for text in refused {
        assert!(AllowedHosts::parse(text).is_err(), "{text}");
    }
    let blocks = ["0.0.0.0/0", "::/0"].map(|text| AllowedHosts::parse(text).unwrap());
    let target = Target { https: true, port: 443 };
    assert!(blocks[0].allows(&target, None, "1.2.3.4".parse().unwrap()));
    assert!(!blocks[0].allows(&target, None, "2001:db8::1".parse().unwrap()));
    assert!(blocks[1].allows(&target, None, "2001:db8::1".parse().unwrap()));
}
