"""The tasks extension for the Python SDK 2.x, which takes it from applications and has none of its own."""

import asyncio
from typing import Any, Literal

from mcp.client.extension import ClientExtension, ResultClaim
from mcp.types import CallToolResult, Request, RequestParams, Result

from story import expect


class TaskCancelled(Exception):
    """The task ended without a result, since this client has cancelled it."""


class TaskResult(Result):
    """What stands for a result that comes later, and what `tasks/get` says of it."""

    result_type: Literal["task"] = "task"
    task_id: str
    status: str
    poll_interval_ms: int | None = None


class TaskState(TaskResult):
    result_type: Literal["complete"] = "complete"
    result: dict[str, Any] | None = None


class Acknowledged(Result):
    result_type: str


class TaskParams(RequestParams):
    task_id: str


class TaskRequest(Request[TaskParams, str]):
    name_param = "taskId"
    method: str
    params: TaskParams


class Tasks(ClientExtension):
    """Follows every task to its result; while `gives_up` is set, cancels it by its own means."""

    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self):
        self.count, self.gives_up = 0, False

    def claims(self):
        return [ResultClaim(result_type="task", model=TaskResult, resolve=self.follow)]

    async def follow(self, task, context):
        async def ask(method, result_type):
            request = TaskRequest(method=method, params=TaskParams(task_id=task.task_id))
            return await context.session.send_request(request, result_type)

        self.count += 1
        state = await ask("tasks/get", TaskState)
        if self.gives_up:
            expect(state.status == "working", f"a task of a pending verification is {state}")
            await ask("tasks/cancel", Acknowledged)
            state = await ask("tasks/get", TaskState)
        while state.status == "working":
            await asyncio.sleep(task.poll_interval_ms / 1000)
            state = await ask("tasks/get", TaskState)
        if state.status == "cancelled":
            raise TaskCancelled
        return CallToolResult.model_validate(state.result, by_name=False)
