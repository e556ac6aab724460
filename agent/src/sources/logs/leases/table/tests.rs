//! The table against a server that knows who really had an address.

use proptest::prelude::*;

use super::*;

/// Seconds of the day that is played.
const DAY: i64 = 6 * 3_600;

#[test]
fn an_address_that_moved_is_its_holder_s_of_that_time() {
    let mut table = Table::default();
    table.replace(&[lease(1, 4_000)], at(100), at(101));
    table.replace(&[lease(2, 9_000)], at(5_000), at(5_001));
    for (second, holders) in [
        (99, &[][..]),
        (100, &[Some(1)]),
        (3_999, &[Some(1)]),
        (4_000, &[]),
        (4_999, &[]),
        (5_000, &[Some(2)]),
        (8_999, &[Some(2)]),
        (9_000, &[]),
    ] {
        assert_eq!(named(&table, second), holders, "{second}");
    }
}

#[test]
fn between_two_holders_nobody_is_named() {
    let mut table = Table::default();
    table.replace(&[lease(1, 4_000)], at(100), at(100));
    table.replace(&[lease(1, 4_000)], at(100), at(300));
    // It was taken from the one and given to the other before its end.
    table.replace(&[lease(2, 9_000)], at(400), at(401));
    assert_eq!(named(&table, 299), [Some(1)]);
    assert_eq!(named(&table, 350), []);
    assert_eq!(named(&table, 400), [Some(2)]);
}

#[test]
fn a_device_that_appears_is_named_from_the_reading_before() {
    let mut table = Table::default();
    table.replace(&[], at(50), at(100));
    table.replace(&[lease(1, 4_000)], at(150), at(151));
    assert_eq!(named(&table, 99), []);
    assert_eq!(named(&table, 100), [Some(1)]);
    // It leaves, and comes again much later.
    table.replace(&[], at(500), at(501));
    assert_eq!(named(&table, 499), [Some(1)]);
    assert_eq!(named(&table, 500), []);
    table.replace(&[lease(1, 4_000)], at(900), at(901));
    assert_eq!(named(&table, 899), []);
    assert_eq!(named(&table, 900), [Some(1)]);
}

#[test]
fn a_renewal_moves_the_end_and_an_old_lease_is_forgotten() {
    let mut table = Table::default();
    table.replace(&[lease(1, 1_000)], at(0), at(0));
    table.replace(&[lease(1, 1_500)], at(500), at(501));
    assert_eq!(named(&table, 1_499), [Some(1)]);
    assert_eq!(table.devices(at(1_499)).count(), 1);
    assert_eq!(table.devices(at(1_500)).count(), 0);
    table.tidy(at(1_500) + KEPT);
    assert!(table.addresses.is_empty());
}

#[test]
fn isc_s_blocks_override_and_are_history() {
    let mut table = Table::default();
    let record = |mac, from, until, active| Record {
        address: address(),
        mac,
        from: at(from),
        until: at(until),
        active,
    };
    let records = [
        record(Some(mac(1)), 0, 1_000, true),
        record(Some(mac(1)), 500, 1_500, true),
        // Given up early.
        record(Some(mac(1)), 500, 700, false),
        record(Some(mac(2)), 800, 2_000, true),
        // Taken away in mid-lease.
        record(Some(mac(3)), 1_200, 3_000, true),
        // In use by somebody who never asked.
        record(None, 2_000, 2_500, true),
    ];
    for _ in 0..2 {
        for record in &records {
            table.record(record);
        }
        for (second, holders) in [
            (0, &[Some(1)][..]),
            (699, &[Some(1)]),
            (700, &[]),
            (800, &[Some(2)]),
            (1_199, &[Some(2)]),
            (1_200, &[Some(3)]),
            (2_000, &[None]),
            (2_500, &[]),
        ] {
            assert_eq!(named(&table, second), holders, "{second}");
        }
    }
}

#[derive(Debug, Clone)]
enum Act {
    Pass(i64),
    /// This device asks for an address, or for a longer lease.
    Ask(u8, i64),
    /// The file is read.
    Look,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => prop_oneof![1..20_i64, 60..2_000_i64].prop_map(Act::Pass),
        3 => ((1..5_u8), 120..3_000_i64).prop_map(|(device, length)| Act::Ask(device, length)),
        2 => Just(Act::Look),
    ]
}

proptest! {
    /// However seldom the file is read: a device that is named had the address, or nobody had it.
    #[test]
    fn nobody_is_named_wrongly(acts in proptest::collection::vec(act(), 1..60)) {
        let mut table = Table::default();
        let mut truth: Vec<(u8, i64, i64)> = Vec::new();
        let (mut now, mut changed) = (0, 0);
        for act in acts {
            match act {
                Act::Pass(seconds) => now += seconds,
                Act::Ask(device, length) => match truth.last_mut() {
                    Some((holder, _, until)) if *until > now => {
                        if *holder == device {
                            *until = (*until).max(now + length);
                            changed = now;
                        }
                    }
                    _ => {
                        truth.push((device, now, now + length));
                        changed = now;
                    }
                },
                Act::Look => {
                    let leases: Vec<_> = truth
                        .last()
                        .filter(|(.., until)| *until > now)
                        .map(|(device, _, until)| lease(*device, *until))
                        .into_iter()
                        .collect();
                    table.replace(&leases, at(changed), at(now));
                }
            }
            prop_assume!(now < DAY);
        }
        for second in 0..now {
            if let [Some(named)] = named(&table, second).as_slice() {
                let holder = truth.iter().find(|(_, from, until)| (*from..*until).contains(&second));
                prop_assert!(
                    holder.is_none_or(|(holder, ..)| holder == named),
                    "at {} {:?} is named: {:?}", second, named, truth
                );
            }
        }
    }
}

fn named(table: &Table, second: i64) -> Vec<Option<u8>> {
    let number = |mac: Mac| (1..9).find(|number| self::mac(*number) == mac).unwrap();
    let holders = table.holders(address(), at(second));
    holders.into_iter().map(|holder| holder.map(number)).collect()
}

fn lease(device: u8, until: i64) -> Lease {
    Lease { address: address(), mac: Some(mac(device)), until: at(until) }
}

fn address() -> IpAddr {
    "192.168.4.17".parse().unwrap()
}

fn mac(number: u8) -> Mac {
    format!("a4:b1:c1:00:05:{number:02x}").parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + second).unwrap()
}
