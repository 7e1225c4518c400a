"""The command line of these tests, and a local AWS and a mock API for all that want them."""

import os
import subprocess
import sys
import tempfile

import native_of_build
import pytest
from environment import Aws, mock_api
from launched import Launched
from local_aws import local_aws, with_services
from wheel_of_tests import build

from paceline.glue import binary


def pytest_addoption(parser):
    parser.addoption("--s3-endpoint", metavar="URL", help="an S3 that runs already, in place of one of the tests' own")
    parser.addoption("--mock-api", action="store_true", help="call the mock API, as is done without any flag too")
    parser.addoption("--no-mock", action="store_true", help="only what runs against the S3_BUCKET and API_ENDPOINT of the environment")


def pytest_configure(config):
    folder = tempfile.TemporaryDirectory(prefix="paceline-native-")
    config.add_cleanup(folder.cleanup)
    native_of_build.install(folder.name)
    config.addinivalue_line("markers", "real: runs against real endpoints, given by the environment")
    if config.getoption("no_mock") and config.getoption("mock_api"):
        raise pytest.UsageError("--mock-api and --no-mock exclude each other")


def pytest_collection_modifyitems(config, items):
    real = config.getoption("no_mock")
    for item in items:
        if real and not item.get_closest_marker("real"):
            item.add_marker(pytest.mark.skip(reason="--no-mock runs only what is marked real"))
        if not real and item.get_closest_marker("real"):
            item.add_marker(pytest.mark.skip(reason="runs against real endpoints: give --no-mock, S3_BUCKET and API_ENDPOINT"))


@pytest.fixture(scope="session", autouse=True)
def nobodys_settings(tmp_path_factory):
    """A person's own settings and state do not reach the tests; what says where the real endpoints are stays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield


@pytest.fixture(scope="session")
def aws(request):
    """A local AWS, or the one that `--s3-endpoint` names."""
    named = request.config.getoption("s3_endpoint")
    if named:
        yield Aws(named)
        return
    # Jobs that it runs find the interpreter of the tests, the AWS that they belong to, and of Paceline what they install.
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"

    def environment(port):
        return with_services("s3,sts,glue,cloudwatch", PATH=path, PYTHONPATH="", **Aws(f"http://127.0.0.1:{port}").environment)

    with local_aws(environment) as port:
        yield Aws(f"http://127.0.0.1:{port}")


@pytest.fixture
def bucket(aws):
    """A bucket of this test's own."""
    with aws.bucket() as name:
        yield name


@pytest.fixture
def on_aws(aws, monkeypatch):
    """This process, and those that it starts, belong to the local AWS."""
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def nothing_left():
    """A launcher of a test that failed is ended, and what it has started."""
    yield
    Launched.end_all()


@pytest.fixture
def api():
    """The mock API, which answers everything at once."""
    with mock_api("--latency-ms", "1") as url:
        yield url


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel paceline-glue around the program of the tests, without its symbols, which are the most of it."""
    folder = tmp_path_factory.mktemp("wheel")
    program = folder / "paceline"
    subprocess.run(["strip", "-o", program, binary.find()], check=True)
    return build(folder, str(program))
