/** Wrong input from outside: which field, what is wrong with it, and what to do. Never a bug of ours. */
export class WrongInput extends Error {
  constructor(
    readonly field: string,
    readonly reason: string,
    readonly fix: string,
  ) {
    super(`${field}: ${reason}. ${fix}`);
    this.name = new.target.name;
  }
}

/** What is named is not there. */
export class Unknown extends WrongInput {}

/** Nobody can tell who asks: no credential, or none that holds. */
export class Unauthenticated extends WrongInput {}

/** Who asks is known, and may not do this. */
export class Forbidden extends WrongInput {}

/** What is wanted contradicts what stands already. */
export class Conflicting extends WrongInput {}
