"""The service on Ray Serve: the same application, another model without a failed request, and what `deploy/` holds.

Ray is imported by the tests, not while they are collected: that takes seconds, and warns.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml
from fastapi.testclient import TestClient

from inkdigit.errors import ArtefactError
from inkdigit.server.app import create_app

from ..asynchronous import run
from ..pictures import encoded, seven
from ..serving import wait_for
from ..test_deploy import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture
def url(address: str) -> Iterator[str]:
    """Start the application on the cluster."""
    from ray import serve

    port = free_port()
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    deploy("tiny")
    yield f"http://127.0.0.1:{port}"
    serve.shutdown()


def deploy(model: str) -> None:
    from ray import serve

    from inkdigit.cluster.serve import deployment

    options: dict[str, Any] = {"autoscaling_config": None, "num_replicas": 1, "ray_actor_options": {"num_cpus": 0}}
    serve.run(deployment.options(user_config={"model": [model]}, **options).bind(), name="inkdigit")


def test_the_answers_are_those_of_the_service_and_a_new_model_takes_over(url: str) -> None:
    requests = [("/v1/predict", encoded(seven(64))), ("/v1/predict", encoded(np.full((9, 9), 9, np.uint8)))]
    with httpx.Client(base_url=url, timeout=60) as cluster, TestClient(create_app()) as single:
        for path, content in requests:
            options: dict[str, Any] = {"content": content, "headers": {"Content-Type": "image/png"}}
            there, here = cluster.post(path, **options), single.post(f"{path}?model=tiny", **options)
            assert (there.status_code, there.json()) == (here.status_code, here.json())
        assert cluster.get("/readyz").status_code == 200
        deploy("lenet5")

        def model() -> str:
            answer = cluster.post("/v1/predict", content=requests[0][1], headers={"Content-Type": "image/png"})
            assert answer.status_code == 200
            return str(answer.json()["model"]["name"])

        wait_for(lambda: model() == "lenet5")


def test_a_replica_is_healthy_once_it_is_ready_and_keeps_its_model_if_another_is_refused() -> None:
    from inkdigit.cluster.serve import Inkdigit

    replica = Inkdigit()
    with pytest.raises(RuntimeError, match="not ready"):
        replica.check_health()
    content: dict[str, Any] = {"content": encoded(seven(64)), "headers": {"Content-Type": "image/png"}}
    with TestClient(replica.__serve_build_asgi_app__()) as client:
        replica.check_health()
        run(replica.reconfigure({"model": ["lenet5"]}))
        with pytest.raises(ArtefactError, match="no model named"):
            run(replica.reconfigure({"model": ["better"]}))
        assert client.post("/v1/predict", **content).json()["model"]["name"] == "lenet5"


def test_the_configurations_are_what_ray_serve_takes_and_the_same() -> None:
    from ray.serve.schema import ServeDeploySchema

    plain = yaml.safe_load((DEPLOY / "ray-serve.yaml").read_text())
    kubernetes = yaml.safe_load((DEPLOY / "kuberay.yaml").read_text())
    ServeDeploySchema.model_validate(plain)
    assert yaml.safe_load(kubernetes["spec"]["serveConfigV2"])["applications"] == plain["applications"]
