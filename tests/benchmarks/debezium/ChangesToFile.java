import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;
import java.io.BufferedWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;

/** Writes so many changes of a slot into a file, one JSON text a line, and ends. */
public class ChangesToFile {
  public static void main(String[] words) throws Exception {
    Properties settings = new Properties();
    settings.setProperty("name", "bench");
    settings.setProperty("connector.class", "io.debezium.connector.postgresql.PostgresConnector");
    settings.setProperty("offset.storage", "org.apache.kafka.connect.storage.FileOffsetBackingStore");
    settings.setProperty("offset.storage.file.filename", words[0] + ".offsets");
    settings.setProperty("offset.flush.interval.ms", "1000");
    settings.setProperty("topic.prefix", "bench");
    settings.setProperty("plugin.name", "pgoutput");
    settings.setProperty("snapshot.mode", "no_data");
    settings.setProperty("publication.autocreate.mode", "disabled");
    settings.setProperty("max.batch.size", "8192");
    settings.setProperty("max.queue.size", "65536");
    settings.setProperty("converter.schemas.enable", "false");
    for (int at = 2; at < words.length; at += 2) {
      settings.setProperty(words[at], words[at + 1]);
    }
    long[] left = {Long.parseLong(words[1])};
    CountDownLatch done = new CountDownLatch(1);
    try (BufferedWriter file = Files.newBufferedWriter(Path.of(words[0]))) {
      DebeziumEngine<ChangeEvent<String, String>> engine =
          DebeziumEngine.create(Json.class)
              .using(settings)
              .notifying(
                  (events, committer) -> {
                    for (ChangeEvent<String, String> event : events) {
                      try {
                        file.write(event.value());
                        file.newLine();
                      } catch (java.io.IOException error) {
                        throw new java.io.UncheckedIOException(error);
                      }
                      committer.markProcessed(event);
                      left[0]--;
                    }
                    committer.markBatchFinished();
                    if (left[0] <= 0) {
                      done.countDown();
                    }
                  })
              .build();
      Executors.newSingleThreadExecutor().execute(engine);
      done.await();
      file.flush();
      System.exit(0);
    }
  }
}
