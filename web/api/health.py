"""Whether the node lives and is ready, for whoever watches over it."""

from fastapi import APIRouter

router = APIRouter(prefix="/health", tags=["operations"])


@router.get("/live")
def live() -> dict[str, str]:
    """This process answers; asked of nobody who they are, and tells nothing else."""
    return {"status": "live"}
