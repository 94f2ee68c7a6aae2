/** What the programs of this place put together: the module of each role, and the schema they all need. */
import { adoptionMigrations } from '@foothold/adoption';
import { eventLogMigrations } from '@foothold/event-log';
import { ApiModule } from '../../api/src/api.module.js';
import { CollectorModule } from '../../collector/src/collector.module.js';
import { ProjectorModule } from '../../projector/src/projector.module.js';
import { RecorderModule } from '../../recorder/src/recorder.module.js';
import { SentinelModule } from '../../sentinel/src/sentinel.module.js';
import { type Role } from './roles.js';

type ModuleClass = new (...args: never[]) => unknown;

const MODULES: Record<Role, ModuleClass> = { collector: CollectorModule, recorder: RecorderModule, projector: ProjectorModule, sentinel: SentinelModule, api: ApiModule };

export const modulesOf = (roles: readonly Role[]): ModuleClass[] => roles.map((role) => MODULES[role]);
export const MIGRATIONS = [...eventLogMigrations, ...adoptionMigrations];
