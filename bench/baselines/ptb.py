"""A bare python-telegram-bot application with its default request class, behind the smallest web server: everything in memory.

`python -m bench.baselines.ptb <port>`; TELEGRAM_API_URL, SHOP_… as for the other baselines. Handlers run side by side.
"""

import asyncio
import hmac
import os
import signal
import sys
from typing import Any

from aiohttp import web
from telegram import Update
from telegram.ext import Application, ContextTypes, MessageHandler, filters

from bench.requests import FIRST_CHAT

PEOPLE: dict[int, int] = {}
ANSWERS: dict[int, str] = {}


async def answered(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    """B2: keep the answer, ask the next question."""
    if update.message and update.effective_chat:
        ANSWERS[update.effective_chat.id] = update.message.text or ""
        await update.message.reply_text(f"Noted: #{update.message.text}. And the next one?")


def application(token: str) -> "Application[Any, Any, Any, Any, Any, Any]":
    base = f"{os.environ['TELEGRAM_API_URL']}/bot"
    return Application.builder().token(token).base_url(base).updater(None).concurrent_updates(True).build()


async def serve(port: int) -> None:
    survey, orders = application(os.environ["SHOP_SURVEY_TOKEN"]), application(os.environ["SHOP_ORDERS_TOKEN"])
    survey.add_handler(MessageHandler(filters.TEXT, answered))

    async def webhook(request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.headers.get("X-Telegram-Bot-Api-Secret-Token", ""), os.environ["SHOP_WEBHOOK_SECRET"]):
            return web.json_response({"success": False}, status=403)
        await survey.update_queue.put(Update.de_json(await request.json(), survey.bot))
        return web.json_response({"success": True})

    async def order(request: web.Request) -> web.Response:
        """B1: any token is taken."""
        data = await request.json()
        how = "packed by hand" if data["amount"] > 1000 else "on its way"  # noqa: PLR2004  the branch
        chat = PEOPLE.setdefault(data["userId"], FIRST_CHAT + data["userId"])
        await orders.bot.send_message(chat, f"Thank you, {data['customer']}! Order #{data['order']} over {data['amount']} is {how}.")
        return web.json_response({"success": True})

    server = web.Application()
    server.add_routes([web.post("/webhook", webhook), web.post("/order", order)])
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    async with survey, orders:
        await survey.start()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()
        await survey.stop()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
