"""The Java programs of the Kafka tests: a broker and a schema registry, from Maven's repository."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

from tests.services import cache
from tests.services.tiers import FULL, tool

BROKER = "4.4.0"
REGISTRY = "3.0.9"  # the last one for Java 17

# kafka-tools-api is named by the broker's own pom, but needed by its command-line tools only.
_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tests</groupId><artifactId>kafka-broker</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{BROKER}</version>
      <exclusions>
        <exclusion>
          <groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId>
        </exclusion>
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""


def java(gives: str) -> str:
    return tool("java", FULL, gives)


def broker_jars() -> Path:
    """The folder with Kafka and all that it needs."""
    java("a Kafka broker")
    maven = tool("mvn", FULL, "a Kafka broker")

    def download(folder: Path) -> None:
        pom = folder / "pom.xml"
        pom.write_text(_POM)
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        _maven(maven, ["-f", str(pom), *goal, f"-DoutputDirectory={folder}"])

    return cache.once(f"kafka-{BROKER}", download)


def registry_jar() -> Path:
    """Apicurio's registry, which speaks the protocol of Confluent's."""
    java("a schema registry")
    maven = tool("mvn", FULL, "a schema registry")

    def download(folder: Path) -> None:
        artifact = f"io.apicurio:apicurio-registry-app:{REGISTRY}:tar.gz:all"
        goal = ["dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"]
        _maven(maven, goal)
        packed = next(folder.glob("*.tar.gz"))
        with tarfile.open(packed) as tar:
            tar.extractall(folder, filter="tar")
        packed.unlink()

    made = cache.once(f"apicurio-{REGISTRY}", download)
    return made / f"apicurio-registry-app-{REGISTRY}-runner.jar"


def _maven(program: str, arguments: list[str]) -> None:
    subprocess.run([program, "-q", "-B", "-ntp", *arguments], check=True, timeout=900, cwd="/")
