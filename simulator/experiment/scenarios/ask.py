"""From a scenario to the question that the engine answers."""

from simulator.experiment.engine.judge import Question
from simulator.experiment.scenarios.load import load_world
from simulator.experiment.scenarios.schema import Scenario


def question(scenario: Scenario) -> Question:
    """``scenario`` with its world loaded. Raises ``ScenarioError``."""
    return Question(
        id=scenario.id,
        group=scenario.group,
        world=load_world(scenario.world),
        asks=scenario.asks,
        program=scenario.program,
        resource=scenario.resource,
    )
