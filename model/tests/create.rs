use surecal_model::create::{Create, Guards};
use surecal_model::{Faults, Limits, explore};
const L: Limits = Limits::NONE;
#[test]
fn intact() {
    for (n, one_skips, memory, faults) in [
        ("a", true, false, Faults { late: 1, lost: 1, dropped: 1, ..Faults::NONE }),
        ("c", false, false, Faults { owner: 2, late: 1, repeated: 1, ..Faults::NONE }),
        ("d", true, false, Faults { owner: 1, garbled: 2, crashes: 1, ..Faults::NONE }),
        ("e", false, false, Faults { crashes: 1, slow: 1, late: 1, ..Faults::NONE }),
        ("f", false, false, Faults { late_puts: 1, slow: 1, late: 1, ..Faults::NONE }),
        ("g", false, true, Faults { late: 1, garbled: 1, stale: 1, ..Faults::NONE }),
        ("h", false, false, Faults { late: 2, dropped: 1, ..Faults::NONE }),
    ] {
        let report = explore(Create { guards: Guards::ALL, faults, one_skips, memory }, L);
        println!("{n} {} {} {} {:?}", report.states, report.steps, report.depth, report.reached);
        for t in &report.broken {
            println!("{t}");
        }
    }
}
#[test]
fn guards() {
    macro_rules! g { ($($f:ident),* $(,)?) => { [$((stringify!($f), Guards { $f: false, ..Guards::ALL })),*] } }
    let sets = [
        Faults::NONE,
        Faults { late: 1, ..Faults::NONE },
        Faults { crashes: 1, ..Faults::NONE },
        Faults { slow: 1, ..Faults::NONE },
        Faults { dropped: 1, ..Faults::NONE },
        Faults { late_puts: 1, ..Faults::NONE },
        Faults { owner: 1, ..Faults::NONE },
        Faults { garbled: 1, ..Faults::NONE },
        Faults { lost: 1, ..Faults::NONE },
        Faults { owner: 1, garbled: 1, ..Faults::NONE },
        Faults { owner: 1, late: 1, ..Faults::NONE },
        Faults { dropped: 1, late: 1, ..Faults::NONE },
        Faults { late: 1, crashes: 1, ..Faults::NONE },
        Faults { late_puts: 1, slow: 1, ..Faults::NONE },
        Faults { garbled: 1, owner: 1, crashes: 1, ..Faults::NONE },
        Faults { late: 1, garbled: 1, owner: 1, ..Faults::NONE },
    ];
    for (n, guards) in g!(
        derived_id,
        intent_first,
        claims_list,
        claim_check,
        only_ours,
        if_match_adopt,
        if_match_repair,
        if_match_delete,
        etag_move,
        nonce_read,
        fence,
        fence_stamp,
        fates,
        owners_edit,
        verified_only,
        compare_first,
        read_back,
        next_id,
        result_before_told,
        result_cas,
        unknown_told,
        known_puts,
        lease_check,
        overwrite
    ) {
        let mut ok = false;
        for faults in sets {
            if let Some(t) =
                surecal_model::explore::shortest(&Create { guards, faults, one_skips: true, memory: false }, L)
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
