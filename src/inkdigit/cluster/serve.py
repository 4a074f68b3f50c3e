"""The HTTP service on Ray Serve: `serve deploy deploy/ray-serve.yaml`, or `serve run inkdigit.cluster.serve:app`.

Every replica runs the application of `inkdigit serve`, with the same settings from `INKDIGIT_*` variables. Ray Serve
balances, scales, checks and replaces the replicas.
"""

from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from ray import serve

from ..server.app import create_app
from ..settings import Settings

TARGET = 8  # requests in work per replica, above which another one is started
HEALTH_PERIOD = 5.0  # seconds
REPLICAS = {"min_replicas": 1, "max_replicas": 8, "target_ongoing_requests": TARGET}


class Inkdigit:
    """One replica. Its `user_config` may name other models than the settings do: `{"model": ["mine.onnx"]}`."""

    def __init__(self) -> None:
        self._application = create_app(Settings())

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return the application, as Ray Serve asks for it."""
        return self._application

    async def reconfigure(self, config: dict[str, Any]) -> None:
        """Load the models that a configuration names, while the previous ones answer. Raises ArtefactError."""
        service = self._application.state.service
        await to_thread.run_sync(service.reload, config.get("model"))

    def check_health(self) -> None:
        """Raise an error where this replica cannot answer, so that Ray Serve replaces it."""
        if not self._application.state.service.is_ready:
            raise RuntimeError("The replica is not ready.")


deployment = serve.deployment(
    autoscaling_config=REPLICAS,
    max_ongoing_requests=Settings.model_fields["in_flight"].default,
    health_check_period_s=HEALTH_PERIOD,
    ray_actor_options={"num_cpus": 1},
)(serve.ingress()(Inkdigit))
app = deployment.bind()
