// An app imports Tidemark alone: the pure layers' words are part of its own.
@_exported public import TidemarkAuthorization
@_exported public import TidemarkEvents
@_exported public import TidemarkSchema
