"""The Java programs of the Flink tests: Flink itself, from PyPI, and Beam's job server for it.

Beam's release of the job server is one jar that lies at Maven Central; here it is put together from
the modules of Beam that it is made of, by Maven's shade plugin.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from hashlib import sha256
from pathlib import Path

from tests.services import cache
from tests.services.tiers import FULL, tool

FLINK = "1.19.3"
BEAM = "2.70.0"
"""Of the job server. It runs pipelines of later versions of Beam's Python, too."""

_JOB_SERVICE = "2.65.0"
_MAIN = "org.apache.beam.runners.flink.FlinkJobServerDriver"
_SHADE = "org.apache.maven.plugins.shade.resource"


def _dependency(group: str, artifact: str, version: str) -> str:
    return (
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version></dependency>"
    )


_BEAM_GROUP = "org.apache.beam"
_JOB_SERVICE_MODULE = _dependency(_BEAM_GROUP, "beam-runners-java-job-service", _JOB_SERVICE)
_MODULES = "\n".join(
    [
        _dependency(_BEAM_GROUP, "beam-runners-flink-1.19", BEAM),
        _JOB_SERVICE_MODULE,
        _dependency(_BEAM_GROUP, "beam-sdks-java-core", BEAM),
        _dependency(_BEAM_GROUP, "beam-runners-java-fn-execution", BEAM),
        _dependency("org.slf4j", "slf4j-simple", "1.7.30"),
    ]
)
_EXCLUDED = ("META-INF/*.SF", "META-INF/*.DSA", "META-INF/*.RSA", "**/module-info.class")
_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tests</groupId><artifactId>job-server</artifactId><version>1</version>
  <properties><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
  <dependencyManagement><dependencies>{_JOB_SERVICE_MODULE}</dependencies></dependencyManagement>
  <dependencies>{_MODULES}</dependencies>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId>
    <artifactId>maven-shade-plugin</artifactId><version>3.6.0</version>
    <executions><execution>
      <phase>package</phase><goals><goal>shade</goal></goals>
      <configuration>
        <createDependencyReducedPom>false</createDependencyReducedPom>
        <filters><filter><artifact>*:*</artifact><excludes>
          {"".join(f"<exclude>{pattern}</exclude>" for pattern in _EXCLUDED)}
        </excludes></filter></filters>
        <transformers>
          <transformer implementation="{_SHADE}.ServicesResourceTransformer"/>
          <transformer implementation="{_SHADE}.AppendingTransformer">
            <resource>reference.conf</resource>
          </transformer>
          <transformer implementation="{_SHADE}.ManifestResourceTransformer">
            <mainClass>{_MAIN}</mainClass>
          </transformer>
        </transformers>
      </configuration>
    </execution></executions>
  </plugin></plugins></build>
</project>
"""


def flink_jars() -> Path:
    """The folder with Flink, as a cluster has it on its class path."""
    tool("java", FULL, "a Flink cluster")

    def download(folder: Path) -> None:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
        name = f"apache-flink-libraries=={FLINK}"
        subprocess.run([*command, name], check=True, timeout=900, cwd="/")
        packed = next(folder.glob("*.tar.gz"))
        with tarfile.open(packed) as tar:
            for member in tar:
                if "/deps/lib/" in member.name and member.name.endswith(".jar"):
                    member.name = Path(member.name).name
                    tar.extract(member, folder, filter="data")
        packed.unlink()

    return cache.once(f"flink-{FLINK}", download)


def job_server_jar() -> Path:
    """Beam's job server for Flink; the first time it takes minutes."""
    tool("java", FULL, "Beam's job server for Flink")
    maven = tool("mvn", FULL, "Beam's job server for Flink")

    def build(folder: Path) -> None:
        pom = folder / "pom.xml"
        pom.write_text(_POM)
        command = [maven, "-q", "-B", "-ntp", "-f", str(pom), "package"]
        subprocess.run(command, check=True, timeout=1800, cwd="/")
        (folder / "target" / "job-server-1.jar").rename(folder / "job-server.jar")
        shutil.rmtree(folder / "target")

    made = cache.once(f"flink-job-server-{BEAM}-{sha256(_POM.encode()).hexdigest()[:8]}", build)
    return made / "job-server.jar"
