"""Lambda functions as they are written for Snowflake's external functions behind API Gateway."""

import base64
import hashlib
import json


def handler(event, context):
    try:
        rows = json.loads(event["body"])["data"]
        return {"statusCode": 200, "body": json.dumps({"data": [[number, greeting(*values)] for number, *values in rows]})}
    except Exception as error:
        return {"statusCode": 400, "body": json.dumps({"error": str(error)})}


def greeting(name, times):
    return None if name is None else " ".join(["hello", *[name] * times])


def with_digest(event, context):
    reply = handler(event, context)
    digest = hashlib.md5(reply["body"].encode()).digest()
    return reply | {"headers": {"Content-MD5": base64.b64encode(digest).decode()}}


def with_wrong_digest(event, context):
    digest = hashlib.md5(b"something else").digest()
    return handler(event, context) | {"headers": {"Content-MD5": base64.b64encode(digest).decode()}}


class Asynchronous:
    """Takes a batch with 202 and has its answer at the second poll."""

    def __init__(self):
        self.batches = {}
        self.polls = []

    def handler(self, event, context):
        batch = event["headers"]["sf-external-function-query-batch-id"]
        if event["httpMethod"] == "POST":
            self.batches[batch] = handler(event, context)
            return {"statusCode": 202, "body": ""}
        self.polls.append(batch)
        return self.batches[batch] if self.polls.count(batch) > 1 else {"statusCode": 202, "body": ""}
