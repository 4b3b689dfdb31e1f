//! The program's own answers: a weak threadsafe function, so that a question never holds the process.

use std::sync::Arc;

use napi::Status;
use napi::bindgen_prelude::{FnArgs, Promise};
use napi::threadsafe_function::ThreadsafeFunction;

use crate::google::BoxFuture;
use crate::service::host::{Host, HostFault, Question};
use crate::service::to_text;

type Ask = ThreadsafeFunction<FnArgs<(String,)>, Promise<Option<String>>, FnArgs<(String,)>, Status, false, true>;

/// A function of the facade's.
pub(super) struct JsHost(Ask);

impl JsHost {
    pub(super) fn asking(ask: Ask) -> Arc<dyn Host> {
        Arc::new(Self(ask))
    }
}

impl Host for JsHost {
    fn ask(&self, question: Question) -> BoxFuture<'_, Result<Option<String>, HostFault>> {
        Box::pin(async move {
            // napi's own texts can hold a value: none is passed on. `call_async` could end the process when JS throws.
            let answer = self.0.call_async_catch((to_text(&question),).into()).await.map_err(|_| HostFault)?;
            answer.await.map_err(|_| HostFault)
        })
    }
}
