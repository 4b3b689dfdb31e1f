use surecal_model::enroll::{Enroll, Guards};
use surecal_model::{Faults, Limits, explore};
const L: Limits = Limits::NONE;
#[test]
fn intact() {
    for (n, faults) in [
        ("a", Faults { late: 1, lost: 1, dropped: 1, ..Faults::NONE }),
        ("c", Faults { owner: 2, late: 1, repeated: 1, ..Faults::NONE }),
        ("d", Faults { owner: 1, dropped: 1, crashes: 1, ..Faults::NONE }),
        ("e", Faults { crashes: 2, slow: 1, late: 1, ..Faults::NONE }),
        ("f", Faults { late_puts: 2, slow: 1, ..Faults::NONE }),
    ] {
        let report = explore(Enroll::<1> { guards: Guards::ALL, faults, present_before: true }, L);
        println!("{n} {} {} {} {:?}", report.states, report.steps, report.depth, report.reached);
        for t in &report.broken {
            println!("{t}");
        }
    }
}
#[test]
fn guards() {
    macro_rules! g { ($($f:ident),*) => { [$((stringify!($f), Guards { $f: false, ..Guards::ALL })),*] } }
    let sets = [
        Faults::NONE,
        Faults { late: 1, ..Faults::NONE },
        Faults { crashes: 1, ..Faults::NONE },
        Faults { slow: 1, ..Faults::NONE },
        Faults { dropped: 1, ..Faults::NONE },
        Faults { late_puts: 1, ..Faults::NONE },
        Faults { owner: 1, ..Faults::NONE },
        Faults { dropped: 1, late: 1, ..Faults::NONE },
        Faults { late: 1, crashes: 1, late_puts: 1, slow: 1, ..Faults::NONE },
        Faults { late_puts: 2, slow: 1, ..Faults::NONE },
    ];
    for (n, guards) in g!(
        intent_first,
        claim_first,
        wait_while_removing,
        added,
        kept,
        removing,
        recheck,
        claims,
        commit_first,
        result_before_told,
        result_cas,
        unknown_told,
        known_puts,
        lease_check,
        rewrite,
        overwrite,
        etag_move,
        nonce_read,
        if_match_add,
        if_match_expel,
        read_back
    ) {
        let mut ok = false;
        for faults in sets {
            if let Some(t) = surecal_model::explore::shortest(&Enroll::<1> { guards, faults, present_before: true }, L)
            {
                println!("== {n} {faults:?}\n{t}");
                ok = true;
                break;
            }
        }
        if !ok {
            println!("== {n} HOLDS");
        }
    }
}
