/** Types of kafka.mjs for the specs that start a Kafka of their own. */
export interface RunningKafka {
  brokers: string[];
  /** The addresses of further listeners, by their names. */
  listeners: Record<string, string>;
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

/** A way to the broker beside the open one. */
export interface Listener {
  /** In capitals. */
  name: string;
  protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** As Kafka calls them for a single listener, without `listener.name.<name>.` before them. */
  properties: Record<string, string>;
  /** The port that clients are told, where a proxy stands before it. */
  advertised?: number;
}

export interface KafkaOptions {
  port?: number;
  dataDir: string;
  quiet?: boolean;
  more?: Listener[];
  /** Users for SCRAM with their passwords; they exist from the first start on. */
  scram?: Record<string, string>;
}

export function startKafka(options: KafkaOptions): Promise<RunningKafka>;

export function runKafkaTool(mainClass: string, args: string[], input?: string): Promise<string>;
