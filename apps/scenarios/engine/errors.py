"""How a run goes wrong."""

from apps.scenarios.engine.contract import Problem


class NodeError(Exception):
    """A block cannot do its work: the scenario's error section runs, or the step fails. `message` holds no secret and no personal data."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class StepFailedError(Exception):
    """The step is over, failed: a guard was breached, or nothing handles the failure."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class UnhandledError(Exception):
    """The input does not concern the session; the step changes nothing."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
