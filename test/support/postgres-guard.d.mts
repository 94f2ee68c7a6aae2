import { type ChildProcess } from 'node:child_process';
export function stopWithThisProcess(home: string): ChildProcess;
