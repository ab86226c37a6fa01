"""Receipts: what providers report about messages, signed with the channel's receipt secret."""

from __future__ import annotations

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Request
from pydantic import BaseModel

from carloop.api.deps import Use, public
from carloop.api.routers.journeys import Uuid

router = APIRouter(tags=["channels"])

Signed = Annotated[str, Header(max_length=200)]

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["receipts"],
                    "properties": {
                        "receipts": {
                            "type": "array",
                            "maxItems": 1000,
                            "items": {
                                "type": "object",
                                "required": ["kind"],
                                "properties": {
                                    "key": {"type": "string"},
                                    "provider_id": {"type": "string"},
                                    "kind": {"type": "string"},
                                    "at": {"type": "string", "format": "date-time"},
                                    "id": {"type": "string"},
                                    "reason": {"type": "string"},
                                },
                            },
                        }
                    },
                }
            }
        },
    }
}


class RejectedReceipt(BaseModel):
    """One receipt that was not taken: `kind_unknown`, `send_unknown`, `invalid_timestamp`."""

    index: int
    code: str


class ReceiptsOut(BaseModel):
    """How many were taken; repeats count as taken and change nothing."""

    accepted: int
    rejected: list[RejectedReceipt]


@router.post("/receipts/{channel_id}", operation_id="receive_receipt", openapi_extra=_BODY)
@public
async def receive_receipt(
    channel_id: Uuid,
    request: Request,
    use: Use,
    x_carloop_timestamp: Signed = "",
    x_carloop_signature: Signed = "",
) -> ReceiptsOut:
    """Take what a provider reports: delivered, opened, clicked, replied, failed, unsubscribed.

    `X-Carloop-Signature` is `v1=` + hex HMAC-SHA256 over `timestamp.body` with the channel's
    receipt secret; `X-Carloop-Timestamp` is in seconds and within five minutes of now.
    """
    body = await request.body()
    taken = await run_sync(
        use.receipts.take, channel_id, x_carloop_timestamp, x_carloop_signature, body
    )
    return ReceiptsOut(
        accepted=taken.accepted,
        rejected=[RejectedReceipt(index=i, code=code) for i, code in taken.rejected],
    )
