/** A node that may be asked for its trail. */
export interface TrailNode {
  readonly name: string;
  /** Of its management port. */
  readonly url: string;
  /** Many cores have none. */
  readonly optional?: boolean;
}
