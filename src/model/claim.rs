//! Claims: which calls hold an event. Kept in the event itself, as a list of words in one private property.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Google silently cuts a property's value at 1,024 characters; a cut list would lose a claim. So no list is written that
/// is longer than this.
const MAX_CLAIMS: usize = 900;

/// One call's mark: 12 characters of `0-9a-v`, from 60 random bits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Claim(String);

impl Claim {
    /// The claim of 60 random bits; the upper four bits of `bits` do not count.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        const ALPHABET: [char; 32] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k',
            'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
        ];
        Self((0..12).map(|place| ALPHABET[((bits >> (place * 5)) & 31) as usize]).collect())
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The claims on one event, each once, in the order they came. A word that no version of ours wrote is kept as it is: to
/// drop another's claim is the one thing an adoption must never do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims(Vec<Claim>);

impl Claims {
    /// A list of one.
    #[must_use]
    pub fn of(claim: Claim) -> Self {
        Self(vec![claim])
    }

    /// Reads the property's text: claims with spaces between.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut claims = Self::default();
        for word in text.split_whitespace() {
            if !claims.0.iter().any(|claim| claim.0 == word) {
                claims.0.push(Claim(word.to_owned()));
            }
        }
        claims
    }

    /// The property's text.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.iter().map(Claim::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Whether nobody holds the event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this call holds it.
    #[must_use]
    pub fn contains(&self, claim: &Claim) -> bool {
        self.0.contains(claim)
    }

    /// Whether this call holds it, and nobody else does.
    #[must_use]
    pub fn only(&self, claim: &Claim) -> bool {
        matches!(self.0.as_slice(), [one] if one == claim)
    }

    /// The claims of other calls.
    pub fn others(&self, claim: &Claim) -> impl Iterator<Item = &Claim> {
        self.0.iter().filter(move |other| *other != claim)
    }

    /// All claims.
    pub fn iter(&self) -> impl Iterator<Item = &Claim> {
        self.0.iter()
    }

    /// The list with `claim` added; `None` when it would come near the length at which Google cuts it.
    #[must_use]
    pub fn with(&self, claim: &Claim) -> Option<Self> {
        let mut list = self.clone();
        if !list.contains(claim) {
            list.0.push(claim.clone());
        }
        (list.text().len() <= MAX_CLAIMS).then_some(list)
    }

    /// The list without `claim`.
    #[must_use]
    pub fn without(&self, claim: &Claim) -> Self {
        Self(self.others(claim).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_claim_is_twelve_characters_that_need_no_escape() {
        assert_eq!(Claim::from_bits(0).as_str(), "000000000000");
        assert_eq!(Claim::from_bits(u64::MAX).as_str(), "vvvvvvvvvvvv");
        assert_ne!(Claim::from_bits(1), Claim::from_bits(1 << 59));
    }

    #[test]
    fn adding_a_claim_drops_nobody_and_a_full_list_is_told_before_google_cuts_it() {
        let mut claims = Claims::parse("somebody-elses-word");
        let mut count = 1;
        while let Some(more) = claims.with(&Claim::from_bits(count)) {
            claims = more;
            count += 1;
            assert!(count < 200, "the list must end");
        }
        assert!(claims.text().len() <= 900 && claims.text().len() > 880);
        assert!(claims.text().starts_with("somebody-elses-word 1"));
        assert_eq!(claims.with(&Claim::from_bits(1)).as_ref(), Some(&claims), "adding again changes nothing");
    }

    #[test]
    fn taking_a_claim_out_takes_only_that_one() {
        let (mine, yours) = (Claim::from_bits(7), Claim::from_bits(8));
        let both = Claims::of(yours.clone()).with(&mine).unwrap();
        assert!(both.contains(&mine) && !both.only(&mine));
        assert_eq!(both.others(&mine).collect::<Vec<_>>(), [&yours]);
        assert!(both.without(&mine).only(&yours));
        assert!(both.without(&mine).without(&yours).is_empty());
        assert!(!Claims::default().only(&mine));
    }

    proptest! {
        #[test]
        fn a_list_survives_its_text(bits in proptest::collection::vec(any::<u64>(), 0..40)) {
            let claims = bits.iter().fold(Claims::default(), |claims, bits| claims.with(&Claim::from_bits(*bits)).unwrap());
            prop_assert_eq!(Claims::parse(&format!("  {}\n", claims.text())), claims);
        }

        #[test]
        fn equal_claims_have_equal_bits(a in 0_u64..1 << 60, b in 0_u64..1 << 60) {
            prop_assert_eq!(Claim::from_bits(a) == Claim::from_bits(b), a == b);
        }
    }
}
