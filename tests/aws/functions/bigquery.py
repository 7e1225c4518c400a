"""Remote functions as they are written for BigQuery; they know nothing of who calls them."""

from flask import jsonify


def doubled(request):
    try:
        calls = request.get_json()["calls"]
        return jsonify({"replies": [str(2 * int(number)) for (number,) in calls]})
    except Exception as error:
        return jsonify({"errorMessage": f"cannot double: {error}"}), 400


def known_only(request):
    """Forgets that each call needs a reply."""
    calls = request.get_json()["calls"]
    return jsonify({"replies": [name.upper() for (name,) in calls if name != "nobody"]})


def described(request):
    """Says how its arguments came, and what it was told besides."""
    body = request.get_json()
    told = [body["sessionUser"], body["userDefinedContext"].get("tier"), body["caller"]]
    return jsonify({"replies": [[type(value).__name__ for value in call] + told for call in body["calls"]]})
