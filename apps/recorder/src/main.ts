import { adoptionMigrations } from '@foothold/adoption';
import { eventLogMigrations } from '@foothold/event-log';
import { runProcess } from '@foothold/platform';
import { RecorderModule } from './recorder.module.js';

await runProcess({ name: 'recorder', modules: [RecorderModule], migrations: [...eventLogMigrations, ...adoptionMigrations], listens: false });
