/** Types of kafka.mjs for the specs that start a Kafka of their own. */
export interface RunningKafka {
  brokers: string[];
  dataDir: string;
  readonly pid: number;
  /** Settles when the present JVM has ended, whoever ended it. */
  ended(): Promise<void>;
  /** Stops the broker cleanly. */
  stop(): Promise<void>;
  /** Sends a signal (SIGKILL by default, as a crash would be) and waits until the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts again on the same port and data, after stop() or kill(), or stopping first. */
  restart(): Promise<void>;
}

export class KafkaError extends Error {
  /** NO_JAVA, NO_MAVEN or KAFKA. */
  code: string;
  exitCode: 1 | 2;
}

export function startKafka(options: { port?: number; dataDir: string; quiet?: boolean }): Promise<RunningKafka>;

export function runKafkaTool(mainClass: string, args: string[], input?: string): Promise<string>;
