"""What is checked beside what schemathesis checks of itself: the part of the promise that a JSON Schema cannot carry.

A request that fits its schema may still be refused, but only by a rule that no schema can say, and then by the field of
that rule. A batch is answered 202 whatever is in it, so an event that is wrong must be among those it calls refused.
"""
import schemathesis
from schemathesis.core.parameters import ParameterLocation

BATCH = "application/cloudevents-batch+json"
EVENTS = "POST /v1/events"

# Of CSV only, and of those that are known somewhere.
LOCALE = {"locale"}
# Why a request that fits its schema is refused: the fields to blame. What else is refused there contradicts the document.
RULES = {
    # Days that their month lacks; `from` after `to`, or too long before it; what this metric has not, which is named in the path; a metric that was not agreed to.
    "GET /v1/deployments/{deployment}/metrics/{metric}": {"from", "to", "grain", "by", "metric"} | LOCALE,
    "GET /v1/metrics": LOCALE,
    "GET /v1/deployments": LOCALE,
    "GET /v1/dead-letters": LOCALE,
    # Here and below idempotency-key: the same comes with another request.
    # Zones the IANA has not; days that their month lacks, a handoff before the pilot or of a sandbox.
    "POST /v1/deployments": {"timeZone", "pilotStart", "handoff", "idempotency-key"},
    # Spans that end before they begin. Here and below if-match: of a text in quotes, schemathesis sends what stands between them.
    "POST /v1/deployments/{deployment}/closures": {"to", "if-match", "idempotency-key"},
    # Days that their month lacks.
    "PUT /v1/deployments/{deployment}/pilot": {"day", "if-match", "idempotency-key"},
    "PUT /v1/deployments/{deployment}/handoff": {"day", "if-match", "idempotency-key"},
    "PUT /v1/deployments/{deployment}/agreement": {"if-match", "idempotency-key"},
    # Files of which a line is wrong; complete where it is said beside JSON. Periods that end before they begin, or share a day; days that their month lacks; people who are half of a character.
    "PUT /v1/deployments/{deployment}/roster": {"roster", "complete", "if-match", "idempotency-key"},
    # Days that their month lacks, or that are still to come; spans that end before they begin; comments, which a deployment
    # has to allow.
    EVENTS: {"time", "senttime", "data.from", "data.to", "data.comment"},
}


@schemathesis.check
def refused_by_a_rule_only(ctx, response, case):
    rules = RULES.get(case.operation.label)
    if rules is None or case.meta is None or not case.meta.generation.mode.is_positive or response.status_code in (401, 403, 404, 409, 412):
        return
    told = response.json() if response.status_code >= 400 or response.status_code == 202 else {}
    fields = {refusal["field"] for refusal in told.get("refused", [told] if response.status_code >= 400 else [])}
    assert fields <= rules, f"refused for {', '.join(sorted(fields - rules))}, though it fits the schema"


@schemathesis.check
def batch_refuses_what_is_wrong(ctx, response, case):
    if case.operation.label != EVENTS or response.status_code != 202 or case.meta is None or not case.meta.is_negative_at(ParameterLocation.BODY):
        return
    assert case.media_type == BATCH, "an event that does not fit its schema was accepted"
    assert response.json()["refused"], "a batch with an event that does not fit its schema was accepted whole"


@schemathesis.check
class EveryOperationDoesItsWork:
    """Errors alone would pass every other check."""

    def __init__(self):
        self.asked = set()
        self.done = set()

    def after_response(self, ctx, response, case):
        self.asked.add(case.operation.label)
        if response.status_code < 300:
            self.done.add(case.operation.label)

    def after_run(self, ctx):
        assert self.asked == self.done, f"never answered with what was asked for: {', '.join(sorted(self.asked - self.done))}"


sent = 0


@schemathesis.hook
def filter_case(context, case):
    """What can be wrong with an event is tried with each event alone; of the same in a batch, one in twenty is enough."""
    global sent
    if case.media_type != BATCH or case.meta is None or not getattr(case.meta.phase.data, "description", "").startswith("Array with invalid items"):
        return True
    sent += 1
    return sent % 20 == 1
