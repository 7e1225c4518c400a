"""Remote functions of BigQuery, unmodified, in Google's own functions framework."""

import io
import json
import threading
from pathlib import Path

import functions_framework
from werkzeug.serving import make_server

FUNCTIONS = Path(__file__).parent / "functions" / "bigquery.py"


class RemoteFunction:
    """A function of the framework on a port, with a list of the bodies that it was sent."""

    def __init__(self, target):
        self.requests = []
        app = functions_framework.create_app(target, str(FUNCTIONS))

        def noted(environ, start_response):
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            self.requests.append(json.loads(body))
            return app(environ | {"wsgi.input": io.BytesIO(body)}, start_response)

        self.http = make_server("127.0.0.1", 0, noted, threaded=True)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def declared(self, signature, options=""):
        url = f"http://127.0.0.1:{self.http.server_port}/"
        return f"""f{signature} USING API OPTIONS (endpoint '{url}', format 'bigquery', rate_limit_calls 'unlimited',
            retry_delay '1 ms' {options})"""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def test_whole_numbers_beyond_a_double_stay_exact(paceline):
    numbers = [1, 2**53, 2**53 + 1, -(2**53) - 1, 4611686018427387903]
    with RemoteFunction("doubled") as function:
        code, said = paceline.run(*paceline.local(numbers, function.declared("(id BIGINT) RETURNS BIGINT")))
    assert code == 0, said
    assert [(row["id"], row["answer"]) for row in paceline.answers()] == [(number, 2 * number) for number in numbers]
    (request,) = function.requests
    assert request["calls"] == [[1], [2**53], [str(2**53 + 1)], [str(-(2**53) - 1)], ["4611686018427387903"]]
    assert request["requestId"]


def test_a_batch_with_an_error_message_is_halved_to_the_bad_row(paceline):
    numbers = [1, 2, 3, 4, 5, "six", 7, 8]
    with RemoteFunction("doubled") as function:
        run = paceline.local(numbers, function.declared("(id STRING) RETURNS BIGINT"), columns="id STRING")
        code, said = paceline.run(*run)
    assert code == 0, said
    assert [(row["id"], row["answer"]) for row in paceline.answers()] == [(str(n), 2 * n) for n in numbers if n != "six"]
    (letter,) = paceline.dead_letters()
    assert letter["row"] == {"id": "six"} and letter["status"] == 400
    assert "cannot double" in json.dumps(letter)
    sizes = [len(request["calls"]) for request in function.requests]
    assert sorted(sizes, reverse=True) == [8, 4, 4, 2, 2, 1, 1]
    assert paceline.report()["functions"]["f"]["split_requests"] == 6


def test_too_few_replies_are_given_to_no_other_row(paceline):
    names = ["ada", "nobody", "bea", "cid"]
    with RemoteFunction("known_only") as function:
        run = paceline.local(names, function.declared("(id STRING) RETURNS STRING"), columns="id STRING")
        code, said = paceline.run(*run)
    assert code == 0, said
    answers = [(row["id"], row["answer"]) for row in paceline.answers()]
    assert answers == [("ada", "ADA"), ("bea", "BEA"), ("cid", "CID")]
    (letter,) = paceline.dead_letters()
    assert letter["row"] == {"id": "nobody"} and letter["error_kind"] == "bad_reply"
    assert "0 values for 1 row" in letter["error"]


def test_what_a_function_is_told_besides_the_calls(paceline):
    with RemoteFunction("described") as function:
        options = ", session_user 'ada@example.com', user_defined_context '{\"tier\": \"gold\"}'"
        declared = function.declared("(a INT, b DOUBLE, c STRING, d BOOLEAN) RETURNS ARRAY<STRING>", options)
        columns = "a INT, b DOUBLE, c STRING, d BOOLEAN"
        run = paceline.local(["1,1.5,x,true"], declared, columns=columns, select="f(a, b, c, d) AS answer")
        code, said = paceline.run(*run)
    assert code == 0, said
    told = ["ada@example.com", "gold", "//paceline/f"]
    assert paceline.answers() == [{"answer": ["int", "float", "str", "bool", *told]}]
