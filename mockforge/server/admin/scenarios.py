"""`/__admin/scenarios`: their states, read, set and reset."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockforge.server.admin.answers import AdminError, json_answer, object_body
from mockforge.server.admin.context import ADMIN_PREFIX, Admin
from mockforge.server.admin.events import mapping_json
from mockforge.state.scenarios import UnknownScenarioError, UnknownStateError

__all__ = ["ScenarioRoutes"]

_PATH = f"{ADMIN_PREFIX}/scenarios"


class ScenarioRoutes:
    """The handlers."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def routes(self) -> list[Route]:
        return [
            Route(_PATH, self.list_all, methods=["GET"]),
            Route(f"{_PATH}/reset", self.reset, methods=["POST"]),
            Route(f"{_PATH}/{{name:path}}/state", self.set_state, methods=["PUT"]),
        ]

    async def list_all(self, request: Request) -> Response:
        by_scenario: dict[str, list[dict[str, object]]] = {}
        for mapping in self._admin.store.winners_first():
            if mapping.stub.scenario is not None:
                by_scenario.setdefault(mapping.stub.scenario.scenario, []).append(mapping_json(mapping))
        return json_answer(
            {
                "scenarios": [
                    {
                        "id": view.name,
                        "name": view.name,
                        "state": view.state,
                        "possibleStates": view.possible_states,
                        "mappings": by_scenario.get(view.name, []),
                    }
                    for view in self._admin.lane.engine.scenarios.listing()
                ]
            }
        )

    async def reset(self, request: Request) -> Response:
        self._admin.lane.engine.memory.reset()
        return json_answer({})

    async def set_state(self, request: Request) -> Response:
        """To the body's state; without one, back to the first."""
        name = str(request.path_params["name"])
        state = (await object_body(request)).get("state")
        scenarios = self._admin.lane.engine.scenarios
        try:
            if state is None:
                scenarios.reset_one(name)
            else:
                scenarios.set_state(name, str(state))
        except UnknownScenarioError as error:
            raise AdminError(error.what, 404, detail=error.hint) from None
        except UnknownStateError as error:
            raise AdminError(error.what, code=11, detail=error.hint) from None
        return json_answer({})
