//! The tasks extension (SEP-2663): a call that waits for a verdict, for clients that follow it by themselves.
//!
//! rmcp has a manager of tasks, which keeps them in memory; ours must outlive the process, so their ids carry them.

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{CallToolResult, CreateTaskResult, DetailedTask, GetTaskResult, TaskPayload, TaskStatus};
use serde_json::Value;

use super::refusal;
use crate::calls::{NoTask, Reply, Task, TaskState};

/// What stands for the result of a call that goes on as a task.
pub(super) fn created(task: &Task) -> CreateTaskResult {
    CreateTaskResult::new(wire(task))
}

/// How far a task is. `result` makes the result of a call from what it came to.
pub(super) fn state(
    task: Task,
    result: impl FnOnce(Reply) -> CallToolResult,
) -> Result<GetTaskResult, ErrorData> {
    let wire = wire(&task);
    let payload = match task.state {
        TaskState::Working(_) => TaskPayload::Working,
        TaskState::Cancelled => TaskPayload::Cancelled,
        TaskState::Done(reply) => {
            let result = serde_json::to_value(result(reply));
            let Ok(Value::Object(result)) = result else {
                return Err(ErrorData::internal_error("a result got lost", None));
            };
            TaskPayload::Completed { result }
        }
    };
    Ok(GetTaskResult::new(DetailedTask::new(wire, payload)))
}

/// What a client hears of an id that stands for no task of its own, or for one that it may not hear of now.
pub(super) fn refused(error: NoTask) -> ErrorData {
    match error {
        NoTask::Unknown(unknown) => ErrorData::invalid_params(unknown.to_string(), None),
        NoTask::Refused(error) => refusal::of_error(&error),
        NoTask::StoreGone => ErrorData::internal_error(error.to_string(), None),
    }
}

fn wire(task: &Task) -> rmcp::model::Task {
    let (created, updated) = (task.created.to_string(), task.updated.to_string());
    let wire = rmcp::model::Task::new(task.id.as_str(), TaskStatus::Working, created, updated)
        .with_ttl_ms(milliseconds(task.lives))
        .with_poll_interval_ms(milliseconds(task.pause));
    match &task.state {
        TaskState::Working(words) => wire.with_status_message(words.as_str()),
        TaskState::Cancelled | TaskState::Done(_) => wire,
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
