"""The HTTP API as data: which function answers which method and path.

API Gateway gets exactly these routes and no greedy proxy, so a path that is not here never
reaches a function. Equal to the OpenAPI document of the handlers.
"""

from __future__ import annotations

from collections.abc import Mapping

ROUTES: Mapping[str, list[str]] = {
    "generate": [
        "POST /api/conversations/generate",
        "POST /api/conversations/generate-batch",
        "POST /api/conversations/generate-with-scaffolding",
    ],
    "batch_jobs": [
        "GET /api/batch-jobs",
        "GET /api/batch-jobs/{id}",
        "GET /api/batch-jobs/{id}/log",
        "POST /api/batch-jobs/{id}/cancel",
        "POST /api/batch-jobs/{id}/process-next",
        "POST /api/batch-jobs/{id}/retry-failed",
        "PATCH /api/conversations/batch/{id}",
        "GET /api/conversations/batch/{id}/items",
        "GET /api/conversations/batch/{id}/status",
    ],
    "conversations": [
        "GET /api/conversations",
        "POST /api/conversations",
        "GET /api/conversations/stats",
        "GET /api/conversations/{id}",
        "PATCH /api/conversations/{id}",
        "GET /api/conversations/{id}/audit",
        "GET /api/conversations/{id}/status",
        "PATCH /api/conversations/{id}/status",
        "GET /api/conversations/{id}/download",
        "GET /api/conversations/{id}/download/enriched",
        "GET /api/conversations/{id}/download/raw",
        "GET /api/conversations/{id}/enrich",
        "POST /api/conversations/{id}/enrich",
        "GET /api/conversations/{id}/validation-report",
        "POST /api/conversations/bulk-action",
        "POST /api/conversations/bulk-enrich",
        "GET /api/failed-generations",
        "GET /api/failed-generations/{id}",
        "GET /api/failed-generations/{id}/download",
        "GET /api/generation-logs",
        "GET /api/generation-logs/stats",
    ],
    "training_files": [
        "GET /api/training-files",
        "POST /api/training-files",
        "GET /api/training-files/available-for-import",
        "GET /api/training-files/{id}",
        "POST /api/training-files/{id}/add-conversations",
        "GET /api/training-files/{id}/download",
    ],
    "scaffolding": [
        "GET /api/scaffolding/personas",
        "POST /api/scaffolding/personas",
        "GET /api/scaffolding/personas/{id}",
        "PATCH /api/scaffolding/personas/{id}",
        "DELETE /api/scaffolding/personas/{id}",
        "GET /api/scaffolding/emotional-arcs",
        "POST /api/scaffolding/emotional-arcs",
        "GET /api/scaffolding/emotional-arcs/{id}",
        "PATCH /api/scaffolding/emotional-arcs/{id}",
        "DELETE /api/scaffolding/emotional-arcs/{id}",
        "GET /api/scaffolding/training-topics",
        "POST /api/scaffolding/training-topics",
        "GET /api/scaffolding/training-topics/{id}",
        "PATCH /api/scaffolding/training-topics/{id}",
        "DELETE /api/scaffolding/training-topics/{id}",
        "GET /api/scaffolding/consultant",
        "PUT /api/scaffolding/consultant",
        "POST /api/scaffolding/check-compatibility",
        "GET /api/templates",
        "POST /api/templates",
        "GET /api/templates/select",
        "POST /api/templates/select",
        "GET /api/templates/{id}",
        "PATCH /api/templates/{id}",
        "DELETE /api/templates/{id}",
        "POST /api/templates/{id}/resolve",
    ],
}
