//! Which fault a call meets: the rules in force, then the profile.

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::{Fault, Profile, Rule};
use crate::operation::Operation;

/// What rules look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) operation: Operation,
    /// As in the path.
    pub(crate) calendar_id: Option<&'a str>,
    /// `primary` resolved.
    pub(crate) resolved_calendar_id: Option<&'a str>,
    pub(crate) event_id: Option<&'a str>,
    pub(crate) user: Option<&'a str>,
    /// Carries `If-Match`.
    pub(crate) conditional: bool,
}

#[derive(Debug)]
struct Active {
    rule: Rule,
    seen: u64,
    struck: u64,
}

/// The faults in force.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    rules: Vec<Active>,
    profile: Option<(Profile, StdRng)>,
}

impl Plan {
    pub(crate) fn add(&mut self, rule: Rule) {
        self.rules.push(Active { rule, seen: 0, struck: 0 });
    }

    pub(crate) fn set_profile(&mut self, profile: Option<Profile>) {
        self.profile = profile.map(|profile| {
            let rng = StdRng::seed_from_u64(profile.seed);
            (profile, rng)
        });
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The fault this call meets. Every rule that matches counts the call, also when an older one strikes.
    pub(crate) fn choose(&mut self, facts: &Facts<'_>, rng: &mut StdRng) -> Option<Fault> {
        let mut chosen = None;
        for active in &mut self.rules {
            if active.is_concerned(facts) && active.strikes(rng) && chosen.is_none() {
                active.struck += 1;
                chosen = Some(active.rule.fault.clone());
            }
        }
        self.rules.retain(|active| !active.is_spent());
        chosen.or_else(|| {
            let (profile, rng) = self.profile.as_mut()?;
            profile.draw(facts, rng)
        })
    }
}

impl Active {
    fn is_concerned(&self, facts: &Facts<'_>) -> bool {
        let wanted = &self.rule.matching;
        let same = |wanted: &Option<String>, fact: Option<&str>| wanted.is_none() || wanted.as_deref() == fact;
        facts.operation.matches(&self.rule.operation)
            && (same(&wanted.calendar_id, facts.calendar_id) || same(&wanted.calendar_id, facts.resolved_calendar_id))
            && same(&wanted.event_id, facts.event_id)
            && same(&wanted.user, facts.user)
    }

    /// Counts a call and says whether it is one to strike.
    fn strikes(&mut self, rng: &mut StdRng) -> bool {
        self.seen += 1;
        if self.is_spent() {
            return false;
        }
        match (self.rule.nth, self.rule.every, self.rule.probability) {
            (Some(nth), _, _) => self.seen >= nth,
            (_, Some(every), _) => self.seen.is_multiple_of(every),
            (_, _, Some(probability)) => rng.random_bool(probability),
            (None, None, None) => true,
        }
    }

    fn is_spent(&self) -> bool {
        let bound = self.rule.times.or(self.rule.nth.map(|_| 1));
        bound.is_some_and(|bound| self.struck >= bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Match;

    fn facts(operation: Operation) -> Facts<'static> {
        Facts {
            operation,
            calendar_id: Some("primary"),
            resolved_calendar_id: Some("a@x"),
            event_id: Some("e"),
            user: Some("a@x"),
            conditional: false,
        }
    }

    fn strikes(rules: Vec<Rule>, calls: usize) -> Vec<Option<&'static str>> {
        let (mut plan, mut rng) = (Plan::default(), StdRng::seed_from_u64(1));
        for rule in rules {
            plan.add(rule);
        }
        let facts = facts(Operation::EventsInsert);
        (0..calls).map(|_| plan.choose(&facts, &mut rng).map(|fault| fault.kind())).collect()
    }

    #[test]
    fn the_nth_call_is_struck_once_and_the_oldest_rule_wins() {
        let rules = vec![
            Rule::nth("events.insert", 2, Fault::Drop),
            Rule::nth("events.*", 2, Fault::Precondition),
            Rule::nth("events.insert", 4, Fault::RefusedStream).times(2),
        ];
        assert_eq!(
            strikes(rules, 6),
            [None, Some("drop"), Some("precondition"), Some("refusedStream"), Some("refusedStream"), None]
        );
    }

    #[test]
    fn every_and_times_count_matching_calls_alone() {
        let mut rule = Rule { every: Some(2), ..Rule::always("*", Fault::Drop) }.times(2);
        assert_eq!(strikes(vec![rule.clone()], 7), [None, Some("drop"), None, Some("drop"), None, None, None]);
        rule.matching = Match { calendar_id: Some("a@x".into()), event_id: Some("other".into()), user: None };
        assert_eq!(strikes(vec![rule], 4), [None; 4]);
    }

    #[test]
    fn a_seed_gives_the_same_faults_again_and_only_applicable_ones() {
        let profile = Profile { seed: 7, rate: 0.5, operations: None, kinds: None };
        let run = || {
            let (mut plan, mut rng) = (Plan::default(), StdRng::seed_from_u64(0));
            plan.set_profile(Some(profile.clone()));
            let operations = [Operation::EventsGet, Operation::EventsInsert, Operation::OauthToken];
            operations.map(|operation| {
                (0..300)
                    .filter_map(|_| plan.choose(&facts(operation), &mut rng))
                    .map(|fault| fault.label())
                    .collect::<Vec<_>>()
            })
        };
        let [gets, inserts, tokens] = run();
        assert_eq!([gets.clone(), inserts.clone(), tokens.clone()], run());
        assert!((100..200).contains(&gets.len()), "{}", gets.len());
        assert!(inserts.iter().any(|label| label == "drop") && inserts.iter().any(|label| label == "reset after"));
        assert!(
            !gets.iter().any(|label| label == "drop" || label.ends_with(" after") && !label.starts_with(['t', 'd']))
        );
        assert!(!inserts.iter().chain(&tokens).any(|label| label == "precondition" || label == "invalidGrant"));
    }
}
