/** Where claims, answers and open work are kept. */

/** A file that the processes of one machine share. */
export interface SqliteStore {
  /** Made with mode 0600 when it is not there. */
  sqlite: string
  /** `'full'` also survives a loss of power; `'normal'` any end of the process. @default 'normal' */
  synchronous?: 'normal' | 'full'
}

/** One Redis for any number of machines. It must lose no write it acknowledged: no failover to a lagging replica. */
export interface RedisStore {
  /** `redis://` or `rediss://`, with password. */
  redis: string
  /** Put before every key. */
  prefix?: string
}

/** What a store holds under a key. */
export interface StoreRecord {
  /** Text, up to some MiB: keep it as it is. */
  value: string
  /** Made by the caller of `put`, and new for every put. */
  version: string
}

/**
 * A home of your own, in four methods; each may be sync or async and is bounded by the deadline of the call that asks.
 * Reads must see every write that was acknowledged. What throws, or gives another type, counts as "not known".
 *
 * @example
 * // Mongoose. The index is what makes put safe: of two inserts of one key, one fails.
 * const schema = new mongoose.Schema(
 *   { _id: String, value: String, version: String, open: Boolean, expiresAt: Date },
 *   { versionKey: false },
 * )
 * schema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 })
 * schema.index({ open: 1, _id: 1 })
 * const Entry = mongoose.model('surecal_entry', schema)
 * const majority = { writeConcern: { w: 'majority', j: true } }
 * // MongoDB removes what expired once a minute; until then it counts as gone.
 * const alive = () => ({ $or: [{ expiresAt: null }, { expiresAt: { $gt: new Date() } }] })
 *
 * const store = {
 *   get: (key) => Entry.findOne({ _id: key, ...alive() }).read('primary').readConcern('linearizable').lean(),
 *
 *   async put(key, value, { expected, version, ttlMs }) {
 *     const entry = { value, version, open: ttlMs === null, expiresAt: ttlMs === null ? null : new Date(Date.now() + ttlMs) }
 *     if (expected !== null) {
 *       const { matchedCount } = await Entry.updateOne({ _id: key, version: expected, ...alive() }, entry, majority)
 *       return matchedCount === 1
 *     }
 *     try {
 *       // The key must have no value, or one that has expired.
 *       await Entry.updateOne({ _id: key, expiresAt: { $lte: new Date() } }, entry, { ...majority, upsert: true })
 *       return true
 *     } catch (error) {
 *       if (error.code === 11000) return false
 *       throw error
 *     }
 *   },
 *
 *   async delete(key, expected) {
 *     const { deletedCount } = await Entry.deleteOne({ _id: key, version: expected }, majority)
 *     return deletedCount === 1
 *   },
 *
 *   // The prefix holds letters, digits and signs that mean nothing in a range: no regular expression is needed.
 *   async open(prefix) {
 *     const range = { $gte: prefix, $lt: prefix + '\uffff' }
 *     const entries = await Entry.find({ open: true, _id: range }).read('primary').lean()
 *     return entries.map(({ _id, value, version }) => ({ key: _id, value, version }))
 *   },
 * }
 * const service = new CalendarService({ store })
 */
export interface CustomStore {
  /** What is there and has not expired; null for nothing. Further fields are ignored. */
  get(key: string): PromiseLike<StoreRecord | null | undefined> | StoreRecord | null | undefined
  /**
   * Writes if, at that moment, what is there has the version `expected` (null: nothing is there, or it has expired).
   * True: it is written and will not be lost. False: something else was there, and nothing changed. Compare and write
   * must be one step of the database: an update with the version in its filter, an insert under a unique index.
   */
  put(
    key: string,
    value: string,
    options: {
      expected: string | null
      version: string
      /** Milliseconds the value lives; null: it is open work, never expires, and `open` lists it. */
      ttlMs: number | null
    },
  ): PromiseLike<boolean> | boolean
  /** Takes the value away if its version is `expected`; false if another was there. */
  delete(key: string, expected: string): PromiseLike<boolean> | boolean
  /** All open values (put with `ttlMs: null`) whose key begins with `prefix`. */
  open(prefix: string): PromiseLike<(StoreRecord & { key: string })[]> | (StoreRecord & { key: string })[]
}
