"""Lambda functions as they are written for Redshift."""

import json


def handler(event, context):
    try:
        results = [a + b if None not in (a, b) else None for a, b in event["arguments"]]
        if len(results) != event["num_records"]:
            raise ValueError("arguments are missing")
        return json.dumps({"success": True, "num_records": len(results), "results": results})
    except Exception as error:
        return json.dumps({"success": False, "error_msg": str(error)})


def no_sevens(event, context):
    if any(7 in row for row in event["arguments"]):
        return json.dumps({"success": False, "error_msg": "seven is not served"})
    return handler(event, context)


def crashes(event, context):
    raise RuntimeError("out of cheese")
