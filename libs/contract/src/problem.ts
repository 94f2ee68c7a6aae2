/** Wrong input from outside: which field, what is wrong with it, and what to do. Never a bug of ours. */
export class WrongInput extends Error {
  constructor(
    readonly field: string,
    readonly reason: string,
    readonly fix: string,
  ) {
    super(`${field}: ${reason}. ${fix}`);
    this.name = 'WrongInput';
  }
}
