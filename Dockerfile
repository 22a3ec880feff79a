# AIRelays in a container; docs/docker.rst says how to use it. State is in the volume /data.

FROM python:3.11-slim AS build
COPY . /src
RUN python -m venv /opt/airelays \
    && /opt/airelays/bin/pip install --no-cache-dir '/src[local]'

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin airelays \
    && install -d -o airelays -g airelays -m 0700 /data
COPY --from=build /opt/airelays /opt/airelays

# HOME: the configuration is /data/.config/airelays/config.toml, the data folder /data/.airelays.
# Within the container every address; compose.yaml publishes the port on loopback only.
ENV PATH=/opt/airelays/bin:$PATH \
    HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    AIRELAYS_HOST=0.0.0.0 \
    AIRELAYS_PORT=8080 \
    AIRELAYS_AUTO_GENERATE_BEARER_TOKEN=true

USER airelays
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "\
import sys, http.client; \
relay = http.client.HTTPConnection('127.0.0.1', 8080, timeout=4); \
relay.request('GET', '/healthz'); \
sys.exit(relay.getresponse().status != 200)"]
ENTRYPOINT ["airelays"]
CMD ["serve"]
