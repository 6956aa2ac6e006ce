"""The loops over a course: a run from its start, or from where it was left, to its end; blocking or not."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

from tinysmith._course import Course
from tinysmith.run import Run, Step

B = TypeVar("B")


def walk(course: Course[B], begin: Callable[[], None]) -> Iterator[Step[B]]:
    """Step after step, blocking; `begin` has the course stand where it begins."""
    try:
        begin()
        while course.goes_on():
            yield course.next()
        if not course.is_paused:
            course.end(None if course.is_lost else course.hands.grade())
    finally:
        course.let_go()


async def awalk(course: Course[B], begin: Callable[[], Awaitable[None]]) -> AsyncIterator[Step[B]]:
    """Step after step."""
    try:
        await begin()
        while course.goes_on():
            yield await course.anext()
        await course.aend()
    finally:
        await course.drop()
        course.forget()


async def arun(course: Course[B], begin: Callable[[], Awaitable[None]]) -> Run[B]:
    """As `awalk` to the end, without the cost of an iterator: thousands of runs may share a loop."""
    try:
        await begin()
        while course.goes_on():
            await course.anext()
        await course.aend()
    finally:
        await course.drop()
        course.forget()
    return course.result()
