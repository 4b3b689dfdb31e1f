//! What a token endpoint may answer to a refresh.

use serde::Deserialize;
use surecal::google::oauth::refresh;
use surecal::google::{GrantFailure, OauthClient, RefreshToken};

use super::service::{OneAnswer, paused};
use super::{assert_silent, first_line, text};

/// What of an answer says that a grant is dead. What else is in it need not be read, and so need not be readable.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// The input is a status on a line of its own, and the body. A grant is dead only by the word `invalid_grant` in an answer
/// that speaks of grants; and nothing of tokens is printed.
pub fn token_answer(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (status, body) = first_line(text);
    let Ok(status) = status.parse() else { return };
    let endpoint = OneAnswer::new(status, Some(2), body);
    let client = OauthClient::new("app".to_owned(), "can@ry".to_owned());
    let exchange = refresh(endpoint, client, RefreshToken::new("can@ry"), std::time::Duration::from_secs(5));
    let told = paused().block_on(exchange);
    assert_silent(&format!("{told:?} {told:#?}"));
    match told {
        Ok(issued) => {
            assert!((200..300).contains(&status), "a token by an answer {status}");
            let token = issued.access.bearer();
            assert!(
                token.is_sensitive()
                    && token.to_str().is_ok_and(|text| body.contains(&text["Bearer ".len()..]) || body.contains('\\'))
            );
        }
        Err(GrantFailure::Dead) => {
            let said: Refusal = serde_json::from_str(body).expect("a dead grant is told in JSON");
            assert_eq!(said.error, "invalid_grant");
            assert!((400..500).contains(&status) && status != 408 && status != 429, "{status}");
        }
        Err(GrantFailure::Unreachable(kind)) => panic!("an answer that is no answer: {kind:?}"),
        Err(GrantFailure::Misconfigured(_) | GrantFailure::Passing(_)) => {}
    }
}
