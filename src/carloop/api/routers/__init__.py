"""The routers in force, one per noun. A new one is one import and one line in the tuple."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
