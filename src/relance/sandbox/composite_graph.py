"""Larger wholes in one call: graphs of requests, each all or none, and trees of new records with their children."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from relance.sandbox.composite import Undone, halt_all, run_parts
from relance.sandbox.errors import Refused, refuse_json
from relance.sandbox.exchange import Request, Response, Route, json_response, route
from relance.sandbox.org import Org
from relance.sandbox.outcome_bodies import row_error
from relance.sandbox.outcomes import RecordError, SaveResult
from relance.sandbox.rest import known_object
from relance.sandbox.schema import OrgObject
from relance.sandbox.soql_names import child_name
from relance.sandbox.writes import insert_record

MOST_GRAPHS = 75
MOST_NODES = 500
LARGEST_TREE = 200
DEEPEST_TREE = 5


def graphs_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    graphs = request.json_object().get("graphs")
    if not isinstance(graphs, list) or not graphs or not all(isinstance(each, dict) for each in graphs):
        raise refuse_json("graphs must be a list of graphs at [line:1, column:1]")
    nodes = [each.get("compositeRequest") for each in graphs]
    if not all(isinstance(each, list) and each for each in nodes):
        raise refuse_json("compositeRequest must be a list of requests at [line:1, column:1]")
    if len(graphs) > MOST_GRAPHS or sum(map(len, nodes)) > MOST_NODES:
        complaint = f"A call takes {MOST_GRAPHS} graphs and {MOST_NODES} nodes at most"
        raise Refused(400, "LIMIT_EXCEEDED", complaint)
    return json_response({"graphs": [run_graph(org, request, each) for each in graphs]})


def run_graph(org: Org, request: Request, graph: Mapping[str, Any]) -> dict[str, Any]:
    results: list[dict[str, Any]] = []
    succeeds = True
    try:
        with org.records.transaction(), org.store.attempt():
            run_parts(org, request, graph["compositeRequest"], results)
            if any(result["httpStatusCode"] >= 400 for result in results):
                raise Undone
    except Undone:
        succeeds = False
        halt_all(results)
    graph_response = {"compositeResponse": results}
    return {"graphId": graph.get("graphId"), "graphResponse": graph_response, "isSuccessful": succeeds}


@dataclass(slots=True)
class Node:
    """One new record of a tree, and what ties it to the one above."""

    thing: OrgObject
    values: dict[str, Any]
    reference: str
    depth: int
    above: Node | None = None
    link: str = ""
    result: SaveResult | None = None


def tree_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    """All the records or none: one that is refused undoes those made before it."""
    thing = known_object(org, request, parts["thing"])
    nodes = list(nodes_of(org, thing, request.json_object().get("records"), None, ""))
    check_tree(nodes)
    refused: list[Node] = []
    try:
        with org.records.transaction(), org.store.attempt():
            for node in nodes:
                tied = {node.link: node.above.result.id} if node.above and node.above.result else {}
                node.result = insert_record(
                    org, request.caller, node.thing.name, {**node.values, **tied}, request.options()
                )
                if not node.result.success:
                    refused.append(node)
                    raise Undone
    except Undone:
        told = [{"referenceId": each.reference, "errors": errors_of(each)} for each in refused]
        return json_response({"hasErrors": True, "results": told}, 400)
    made = [{"referenceId": each.reference, "id": each.result.id if each.result else None} for each in nodes]
    return json_response({"hasErrors": False, "results": made}, 201)


def nodes_of(org: Org, thing: OrgObject, records: object, above: Node | None, link: str) -> Iterator[Node]:
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise refuse_json("The records of a tree must be a list of objects at [line:1, column:1]")
    for record in records:
        attributes = record.get("attributes") or {}
        values = {name: value for name, value in record.items() if name != "attributes"}
        families = {name: values.pop(name) for name in list(values) if is_family(values[name])}
        depth = above.depth + 1 if above else 1
        node = Node(thing, values, str(attributes.get("referenceId") or ""), depth, above, link)
        yield node
        for name, family in families.items():
            child, field = child_of(org, thing, name)
            yield from nodes_of(org, child, family["records"], node, field)


def is_family(value: object) -> bool:
    return isinstance(value, dict) and "records" in value


def child_of(org: Org, thing: OrgObject, relationship: str) -> tuple[OrgObject, str]:
    for other in org.schema.objects:
        for field in other.fields:
            if thing.name in field.reference_to and child_name(field).lower() == relationship.lower():
                return other, field.name
    raise Refused(400, "INVALID_FIELD", f"No such column '{relationship}' on sobject of type {thing.name}")


def check_tree(nodes: list[Node]) -> None:
    references = [node.reference for node in nodes]
    if not all(references) or len(set(references)) < len(references):
        raise Refused(400, "INVALID_INPUT", "Each record of a tree needs a referenceId of its own")
    if len(nodes) > LARGEST_TREE or any(node.depth > DEEPEST_TREE for node in nodes):
        complaint = f"A tree takes {LARGEST_TREE} records and {DEEPEST_TREE} levels at most"
        raise Refused(400, "LIMIT_EXCEEDED", complaint)


def errors_of(node: Node) -> list[dict[str, object]]:
    errors: tuple[RecordError, ...] = node.result.errors if node.result else ()
    return [row_error(error) for error in errors]


ROUTES: list[Route] = [
    route("POST", "composite/graph", graphs_view),
    route("POST", "composite/tree/{thing}", tree_view),
]
