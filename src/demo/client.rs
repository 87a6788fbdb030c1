//! What stands between an agent and the server: a host that shows its person every question and every sign of progress.

use std::sync::Arc;

use rmcp::model::{
    ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationCapability, FormElicitationCapability, Implementation, ProgressNotificationParam,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient};
use rmcp::{ClientHandler, ErrorData};
use serde_json::json;

use super::screen::Screen;

/// A host whose person says yes to each question that is shown.
pub(super) struct Host(Arc<Screen>);

impl Host {
    pub(super) fn new(screen: Arc<Screen>) -> Self {
        Self(screen)
    }
}

impl ClientHandler for Host {
    fn get_info(&self) -> ClientConfig {
        let forms = ElicitationCapability::new().with_form(FormElicitationCapability::default());
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = Some(forms);
        ClientConfig::new(capabilities, Implementation::new("demo", env!("CARGO_PKG_VERSION")))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { message, .. } = request else {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        };
        if self.0.question(&message).is_err() {
            // Who was not shown the question cannot have said yes.
            return Ok(ElicitResult::new(ElicitationAction::Cancel));
        }
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(json!({ "confirm": true })))
    }

    async fn on_progress(&self, told: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        let seconds = match told.total {
            Some(total) => format!(" ({:.0} of {total:.0} s)", told.progress),
            None => String::new(),
        };
        self.0.wait(&format!("{}{seconds}", told.message.unwrap_or_default()));
    }
}
